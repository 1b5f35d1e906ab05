#include "tools/cli/formats/certify.h"

namespace tallystick::cli {

Outcome<core::Bytes> certify_device(const core::Crypto& crypto, SigningKey& icm_key,
                                    const DeviceIdentity& device, const std::string& issuer) {
  const std::string what = "certificate of " + core::to_hex(device.id).substr(0, 16);
  const auto to_sign = core::device_certificate_to_sign(
      crypto, device.kind, device.xy, icm_key.public_xy(), issuer, {Environment::now(), 0});
  if (!to_sign) return from_core(what, to_sign.error());
  const auto signature = icm_key.sign(what, *to_sign);
  if (!signature) return signature.error();
  auto der = core::assemble_certificate(*to_sign, *signature);
  if (!der) return from_core(what, der.error());
  return *std::move(der);
}

}  // namespace tallystick::cli
