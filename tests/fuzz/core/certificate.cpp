// X.509 certificates of devices and of the ICM. Input: u8 flags (1: the bytes are a TBSCertificate,
// which the ICM signs), the DER.
#include "core/certificate/device_certificate.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& world = fuzz::world();
  fuzz::Input in(data, size);
  const auto flags = in.u8();
  const auto rest = in.rest();
  core::Bytes der(rest.begin(), rest.end());
  if ((flags & 1U) != 0) {
    const auto signature = test::value(world.icm.sign(world.crypto, {rest}));
    auto assembled = core::assemble_certificate(rest, signature);
    if (!assembled) return 0;
    der = *std::move(assembled);
  }
  const auto device = core::verify_device_certificate(world.crypto, der, world.icm.public_xy());
  if (device) {
    fuzz::expect(device->id == test::value(core::key_id(world.crypto, device->key.xy())),
                 "a certificate's id is its key's");
    fuzz::expect(der.size() <= core::kMostCertificateBytes, "certificates are small");
  }
  (void)core::icm_public_key_of(world.crypto, der);
  return 0;
}
