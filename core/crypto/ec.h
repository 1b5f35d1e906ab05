// Keys on P-256 and P-384 in the form of the profile: a public key is X ‖ Y, a signature r ‖ s,
// each half as long as the field. Parsed once, used often, safe to share between threads.
#pragma once

#include <initializer_list>
#include <memory>

#include "core/crypto/crypto.h"

namespace tallystick::core {

enum class Curve : std::uint8_t { kP256, kP384 };
// Bytes of a coordinate, a scalar and half a signature: 32 or 48.
constexpr std::size_t field_size(Curve curve) { return curve == Curve::kP256 ? 32 : 48; }
// The hash that goes with the curve: SHA-256 or SHA-384.
constexpr Hash hash_for(Curve curve) {
  return curve == Curve::kP256 ? Hash::kSha256 : Hash::kSha384;
}

class EcPublicKey {
 public:
  // `xy` has 2 × field_size bytes; a point off the curve or at infinity is kMalformed.
  static Result<EcPublicKey> from_xy(const Crypto& crypto, Curve curve, ByteView xy);
  // Takes over a parsed key, for certificates; kMalformed unless it is on the named curve.
  static Result<EcPublicKey> from_pkey(const Crypto& crypto, Curve curve, const EVP_PKEY* key);

  [[nodiscard]] Curve curve() const { return curve_; }
  [[nodiscard]] ByteView xy() const { return xy_; }
  [[nodiscard]] EVP_PKEY* pkey() const { return key_.get(); }

  // Checks r ‖ s over the parts one after another, hashed with hash_for(curve). kBadSignature for
  // everything that does not verify, wrong lengths and r or s out of range included.
  Status verify(const Crypto& crypto, std::initializer_list<ByteView> message,
                ByteView signature) const;

 private:
  friend class EcPrivateKey;
  EcPublicKey(Curve curve, Bytes xy, std::shared_ptr<EVP_PKEY> key)
      : curve_(curve), xy_(std::move(xy)), key_(std::move(key)) {}

  Curve curve_;
  Bytes xy_;
  std::shared_ptr<EVP_PKEY> key_;
};

class EcPrivateKey {
 public:
  static Result<EcPrivateKey> generate(const Crypto& crypto, Curve curve);
  // `scalar` has field_size bytes and lies in [1, q − 1]; else kMalformed.
  static Result<EcPrivateKey> from_scalar(const Crypto& crypto, Curve curve, ByteView scalar);

  [[nodiscard]] Curve curve() const { return public_.curve(); }
  // Carries the private half too: libcrypto keeps both in one object.
  [[nodiscard]] const EcPublicKey& public_key() const { return public_; }
  [[nodiscard]] ByteView public_xy() const { return public_.xy(); }
  // field_size bytes, big-endian.
  [[nodiscard]] Result<Secret> scalar() const;
  // PKCS#8 DER as libcrypto writes it: named curve, public key included.
  [[nodiscard]] Result<Secret> pkcs8() const;

  // r ‖ s over the parts one after another, hashed with hash_for(curve).
  [[nodiscard]] Result<Bytes> sign(const Crypto& crypto,
                                   std::initializer_list<ByteView> message) const;
  // The x-coordinate of the shared point, field_size bytes. `peer` is on the same curve.
  [[nodiscard]] Result<Secret> ecdh(const Crypto& crypto, const EcPublicKey& peer) const;

 private:
  explicit EcPrivateKey(EcPublicKey key) : public_(std::move(key)) {}
  EcPublicKey public_;
};

// A scalar made of a derived value, which has at least 64 bits more than the group order: d = (V
// mod (q − 1)) + 1 with V read big-endian (FIPS 186-5 A.2.1). field_size bytes, big-endian.
Result<Secret> ec_scalar_from(const Crypto& crypto, Curve curve, ByteView value);

}  // namespace tallystick::core
