#include "core/ts1/agreement.h"

#include "core/crypto/hash.h"

namespace tallystick::core {

Result<Agreement> agree_with(const Crypto& crypto, const EcPublicKey& recipient,
                             const EcPrivateKey* fixed) {
  if (fixed == nullptr) {
    const auto fresh = EcPrivateKey::generate(crypto, Curve::kP256);
    if (!fresh) return fresh.error();
    return agree_with(crypto, recipient, &*fresh);
  }
  auto recipient_id = sha256(crypto, {recipient.xy()});
  if (!recipient_id) return std::move(recipient_id).error();
  auto z = fixed->ecdh(crypto, recipient);
  if (!z) return std::move(z).error();
  return Agreement{*recipient_id, array_of<64>(fixed->public_xy()), *std::move(z)};
}

}  // namespace tallystick::core
