// The OEM's consent to regeneration: key, signature, device and nonce from outside, over a blob.
// Input: u8 flags (1: signed by the OEM for this device and nonce), 32 bytes of device id, 32 of
// nonce, 96 of key, 96 of signature, the blob.
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& world = fuzz::world();
  fuzz::Input in(data, size);
  const auto flags = in.u8();
  core::DeviceId device{};
  std::ranges::copy(in.take(device.size()), device.begin());
  const auto nonce = in.take(32);
  const auto key = in.take(96);
  core::Bytes signature;
  const auto given = in.take(96);
  signature.assign(given.begin(), given.end());
  const auto blob = in.rest();
  const auto message = core::regeneration_message(world.crypto, device, nonce, blob);
  if (message && (flags & 1U) != 0) {
    signature = test::value(world.oem.sign(world.crypto, {*message}));
  }
  if (!core::parse_share_blob(blob)) return 0;
  const auto consent = core::check_consent(world.crypto, device, nonce, blob, key, signature);
  fuzz::expect(!consent || fuzz::same(key, world.oem.public_xy()),
               "no one but the OEM of the blob consents");
  (void)world.oem_device.regenerate(blob, device, nonce, key, signature);
  return 0;
}
