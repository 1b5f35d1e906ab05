// A private key that signs, as it travels in packages (PKCS#8): ECDSA on P-256 with SHA-256 and on
// P-384 with SHA-384, and Ed25519 (RFC 8032).
#pragma once

#include <variant>

#include "core/crypto/ec.h"

namespace tallystick::core {

class SigningPrivateKey {
 public:
  // kMalformed for what is no private key in PKCS#8, or one that signs in none of these ways.
  static Result<SigningPrivateKey> from_pkcs8(const Crypto& crypto, ByteView der);

  // X ‖ Y, or the 32 bytes of Ed25519.
  [[nodiscard]] Result<Bytes> public_key() const;
  // r ‖ s, each half as long as the field, or the 64 bytes of Ed25519.
  [[nodiscard]] Result<Bytes> sign(const Crypto& crypto, ByteView message) const;

 private:
  using Key = std::variant<EcPrivateKey, PkeyPtr>;  // the latter: Ed25519
  explicit SigningPrivateKey(Key key) : key_(std::move(key)) {}

  Key key_;
};

}  // namespace tallystick::core
