// Keys and signatures on the profile's curves, from bytes. Input: u8 flags (1: P-384), then
// coordinates or a scalar, then a signature.
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& world = fuzz::world();
  fuzz::Input in(data, size);
  const auto flags = in.u8();
  const auto curve = (flags & 1U) != 0 ? core::Curve::kP384 : core::Curve::kP256;
  const auto field = core::field_size(curve);
  const auto& own = curve == core::Curve::kP384 ? world.oem : world.token;
  const auto xy = in.take((flags & 2U) != 0 ? 2 * field : in.u8());
  const auto signature = in.rest();

  const auto peer = core::EcPublicKey::from_xy(world.crypto, curve, xy);
  if (peer) {
    fuzz::expect(fuzz::same(peer->xy(), xy), "a point is the same when written again");
    const auto z = own.ecdh(world.crypto, *peer);
    fuzz::expect(z && z->size() == field, "any point on the curve agrees");
    (void)peer->verify(world.crypto, {xy}, signature);
  }
  const auto scalar = xy.first(std::min(xy.size(), field));
  if (const auto key = core::EcPrivateKey::from_scalar(world.crypto, curve, scalar)) {
    fuzz::expect(fuzz::same(test::value(key->scalar()).view(), scalar),
                 "a scalar is the same when written again");
    const auto made = test::value(key->sign(world.crypto, {xy}));
    fuzz::expect(key->public_key().verify(world.crypto, {xy}, made).ok(),
                 "a key verifies what it signed");
  }
  fuzz::expect(!own.public_key().verify(world.crypto, {core::bytes_of("never signed")}, signature),
               "what was never signed does not verify");
  return 0;
}
