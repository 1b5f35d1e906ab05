// Provisioning software images: what is accepted is what would be written again. Input: u8 flags
// (1: the payload's length and digest are set right, 2: the ICM signs what was altered), the image.
#include "core/base/reader.h"
#include "core/crypto/hash.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

using namespace tallystick;

namespace {

void set_right(core::Bytes& image) {
  const auto payload = core::ByteView(image).subspan(core::kSoftwarePrefix);
  const auto length = core::be32(static_cast<std::uint32_t>(payload.size()));
  std::ranges::copy(length, image.begin() + 12);
  const auto digest = test::value(core::sha384(fuzz::world().crypto, {payload}));
  std::ranges::copy(digest, image.begin() + 32);
}

void sign(core::Bytes& image) {
  const auto signature = test::value(fuzz::world().icm.sign(
      fuzz::world().crypto, {core::ByteView(image).first(core::kSoftwareHeaderSize)}));
  std::ranges::copy(signature, image.begin() + core::kSoftwareHeaderSize);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& world = fuzz::world();
  fuzz::Input in(data, size);
  const auto flags = in.u8();
  const auto rest = in.rest();
  if (const auto permissions = core::Permissions::parse(rest)) {
    fuzz::expect(fuzz::same(test::value(core::Permissions::encode(permissions->records())), rest),
                 "permissions are the same when written again");
  }
  core::Bytes image(rest.begin(), rest.end());
  if (image.size() >= core::kSoftwarePrefix) {
    if ((flags & 1U) != 0) set_right(image);
    if ((flags & 2U) != 0) sign(image);
  }
  const auto by_anyone =
      core::verify_software_signature(world.crypto, image, world.icm.public_xy());
  const auto by_part = core::verify_software(world.crypto, image, world.icm.public_xy(),
                                             world.icm_family.id, core::FamilyRole::kPart, 2);
  fuzz::expect(!by_part || by_anyone.ok(), "a part takes only what anyone finds good");
  if (!by_anyone) return 0;
  const auto payload = core::ByteView(image).subspan(core::kSoftwarePrefix);
  fuzz::expect(
      fuzz::same(test::value(core::Permissions::encode(by_anyone->permissions.records())), payload),
      "an image's permissions are the same when written again");
  fuzz::expect(
      fuzz::same(test::value(core::software_header(world.crypto, by_anyone->header, payload)),
                 core::ByteView(image).first(core::kSoftwareHeaderSize)),
      "an image's header is the same when written again");
  return 0;
}
