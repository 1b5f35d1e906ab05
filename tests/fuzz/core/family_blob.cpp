// Family blobs, and the import form of a family. Input: u8 flags, the bytes. Flags: 1 the ICM signs
// what was altered, 2 the bytes are the plaintext, sealed for the part with the right key.
#include "core/ts1/family_blob.h"

#include "core/base/reader.h"
#include "core/crypto/kdf.h"
#include "core/ts1/agreement.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

using namespace tallystick;

namespace {

constexpr std::size_t kSignatureSize = 96;

void sign(core::Bytes& blob) {
  if (blob.size() < kSignatureSize) return;
  const auto end = blob.size() - kSignatureSize;
  const auto signature =
      test::value(fuzz::world().icm.sign(fuzz::world().crypto, {core::ByteView(blob).first(end)}));
  std::ranges::copy(signature, blob.begin() + static_cast<std::ptrdiff_t>(end));
}

// A family blob whose header is good and whose plaintext is anything (docs/formats.md, section 1).
core::Bytes blob_of(core::FamilyRole role, core::ByteView plaintext) {
  const auto& world = fuzz::world();
  static const auto agreed =
      test::value(core::agree_with(world.crypto, world.part.public_key(), nullptr));
  core::Writer header;
  header.text("TSFB").u16(1).u8(static_cast<std::uint8_t>(role)).u8(0);
  header.bytes(world.icm_family.id).bytes(agreed.recipient_id).bytes(agreed.ephemeral);
  header.bytes(world.icm.public_xy());
  core::Writer info;
  info.bytes(header.view()).bytes(world.part.public_xy());
  const auto key =
      test::value(core::hkdf(world.crypto, core::Hash::kSha256, core::bytes_of("TS1/FAMILY"),
                             agreed.z.view(), info.view(), core::kSecretSize));
  const auto sealed = test::value(
      core::seal(world.crypto, core::Suite::kGcm, key.view(), header.view(), plaintext));
  core::Writer out;
  out.bytes(header.view()).bytes(sealed).zeros(kSignatureSize);
  return out.take();
}

void import(core::ByteView bytes) {
  const auto family = core::parse_family_import(fuzz::world().crypto, bytes);
  if (!family) return;
  fuzz::expect(fuzz::same(core::encode_family_import(*family).view(), bytes),
               "a family is the same when written again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& world = fuzz::world();
  fuzz::Input in(data, size);
  const auto flags = in.u8();
  const auto rest = in.rest();
  import(rest);
  core::Bytes blob(rest.begin(), rest.end());
  if ((flags & 2U) != 0) {
    if (rest.size() > 4096) return 0;
    blob = blob_of((flags & 4U) != 0 ? core::FamilyRole::kProvisioning : core::FamilyRole::kPart,
                   rest);
  }
  if ((flags & 3U) != 0) sign(blob);
  const auto family = core::open_family_blob(world.crypto, blob, world.fingerprint, world.part,
                                             [](const core::FamilyId&) { return false; });
  if (!family) return 0;
  fuzz::expect(core::parse_family_blob(blob).ok(), "what opens has the form of a family blob");
  fuzz::expect(family->shares.size() >= core::kLeastShares &&
                   family->shares.size() <= core::kMostShares &&
                   family->k_oem_share.size() == core::kSecretSize,
               "an opened family is whole");
  return 0;
}
