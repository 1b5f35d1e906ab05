// Elliptic-curve keys in any PKCS#11 module, in the profile's form.
#pragma once

#include "core/crypto/ec.h"
#include "tools/cli/pkcs11/tokens.h"

namespace tallystick::cli {

// CKA_EC_POINT (with or without its OCTET STRING) as X ‖ Y.
Outcome<core::Bytes> xy_of_point(const std::string& what, core::Curve curve, core::ByteView point);
// X ‖ Y as CKA_EC_POINT.
core::Bytes point_of_xy(core::ByteView xy);

// X ‖ Y of a public key object; kToken when it is on another curve.
Outcome<core::Bytes> public_xy_of(const Session& session, Handle key, core::Curve curve);

// A P-384 signing key: the ICM's or an OEM's. Its private half stays where it is.
class SigningKey {
 public:
  static Outcome<SigningKey> open(Environment& env, const std::string& uri);

  [[nodiscard]] core::ByteView public_xy() const { return public_key_.xy(); }
  [[nodiscard]] core::ByteArray<96> public_array() const {
    return core::array_of<96>(public_key_.xy());
  }
  // ECDSA P-384 / SHA-384, r ‖ s, checked before it is given out.
  Outcome<core::Bytes> sign(const std::string& what, core::ByteView message);

 private:
  SigningKey(std::shared_ptr<const core::Crypto> crypto, Session session, Handle key,
             core::EcPublicKey public_key)
      : crypto_(std::move(crypto)),
        session_(std::move(session)),
        key_(key),
        public_key_(std::move(public_key)) {}

  std::shared_ptr<const core::Crypto> crypto_;
  Session session_;
  Handle key_;
  core::EcPublicKey public_key_;
};

// X ‖ Y of a P-384 public key object that a URI names; needs no PIN where the token needs none.
Outcome<core::Bytes> public_key_at(Environment& env, const std::string& uri);

}  // namespace tallystick::cli
