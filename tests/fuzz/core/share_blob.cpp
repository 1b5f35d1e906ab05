// Share blobs of all three roles, as a part and an OEM's token take them in.
//
// Input: u8 flags, the blob. Flags: 1 the grant and the minter's signature of a role 3 blob are
// made anew, 2 the bytes are the plaintext of a role 2 blob, which is sealed with the right key.
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

using namespace tallystick;

namespace {

// Offsets of a role 3 blob, docs/formats.md.
constexpr std::size_t kJobAt = 112;
constexpr std::size_t kLimitAt = 136;
constexpr std::size_t kMinterAt = 208;
constexpr std::size_t kOemAt = 272;
constexpr std::size_t kGrantAt = 368;
constexpr std::size_t kSignatureSize = 64;

void grant_and_sign(core::Bytes& blob) {
  const auto& world = fuzz::world();
  if (blob.size() != core::kDeviceBlobSize) return;
  const auto put = [&blob](core::ByteView bytes, std::size_t at) {
    std::ranges::copy(bytes, blob.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(world.token.public_xy(), kMinterAt);
  put(world.oem.public_xy(), kOemAt);
  std::uint64_t limit = 0;
  for (const auto byte : core::ByteView(blob).subspan(kLimitAt, 8)) limit = limit << 8U | byte;
  core::Context context;
  const core::ByteView all(blob);
  context.family_id = core::array_of<16>(all.subspan(16, 16));
  context.oem_id = core::array_of<32>(all.subspan(32, 32));
  context.share_id = core::array_of<16>(all.subspan(64, 16));
  const auto job = core::array_of<16>(all.subspan(kJobAt, 16));
  const auto message =
      core::grant_message(world.crypto, context, job, limit, world.token.public_xy());
  if (message) put(test::value(world.oem.sign(world.crypto, {*message})), kGrantAt);
  const auto end = blob.size() - kSignatureSize;
  put(test::value(world.token.sign(world.crypto, {core::ByteView(blob).first(end)})), end);
}

core::Bytes master_blob_of(core::ByteView plaintext) {
  const auto& world = fuzz::world();
  const core::ShareBlobHeader header{core::BlobRole::kMaster, core::Suite::kGcm,
                                     world.share.context};
  const auto encoded = header.encode();
  auto blob = core::Bytes(encoded.begin(), encoded.end());
  const auto sealed =
      test::value(core::seal(world.crypto, core::Suite::kGcm,
                             world.oem_family.k_oem_master_share->view(), encoded, plaintext));
  blob.insert(blob.end(), sealed.begin(), sealed.end());
  return blob;
}

void take_as_oem(core::ByteView blob) {
  const auto& world = fuzz::world();
  static constexpr core::ByteArray<32> kNonce{7};
  const auto message = core::regeneration_message(world.crypto, world.token_id, kNonce, blob);
  if (!message) return;
  const auto consent = test::value(world.oem.sign(world.crypto, {*message}));
  const auto share =
      world.oem_device.regenerate(blob, world.token_id, kNonce, world.oem.public_xy(), consent);
  if (!share) return;
  fuzz::expect(share->role == core::HolderRole::kOem && share->origin.has_value(),
               "a share that was made again is the OEM's");
  // Its sealed length tells the input's, so that both blobs have the same size.
  const auto again = test::value(world.oem_device.give_master(*share, core::Suite::kGcm));
  fuzz::expect(again.size() == blob.size() &&
                   fuzz::same(core::ByteView(again).subspan(8, 72), blob.subspan(8, 72)),
               "a share that was made again gives out the blob it came from");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& world = fuzz::world();
  fuzz::Input in(data, size);
  const auto flags = in.u8();
  const auto rest = in.rest();
  if ((flags & 2U) != 0) {
    if (rest.size() <= 4096) take_as_oem(master_blob_of(rest));
    return 0;
  }
  core::Bytes blob(rest.begin(), rest.end());
  if ((flags & 1U) != 0) grant_and_sign(blob);
  const auto parsed = core::parse_share_blob(blob);
  if (parsed) {
    fuzz::expect(fuzz::same(parsed->header.encode(),
                            core::ByteView(blob).first(core::ShareBlobHeader::kSize)),
                 "a blob's header is the same when written again");
    fuzz::expect(parsed->device.has_value() == (parsed->header.role == core::BlobRole::kDevice),
                 "role 3 blobs and no others have fields of a device");
  }
  const auto share = world.part_device.take_share(blob, &world.part);
  if (share) {
    fuzz::expect(parsed.ok() && parsed->header.role != core::BlobRole::kMaster,
                 "a part takes blobs of role 1 and 3");
    fuzz::expect(share->role == core::HolderRole::kTarget && !share->origin,
                 "a share that was taken in is a target's");
  }
  (void)world.part_device.take_share(blob, nullptr);
  take_as_oem(blob);
  return 0;
}
