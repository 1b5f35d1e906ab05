#include "pkcs11/engine/keys/key_pair.h"

#include <openssl/x509.h>

#include "pkcs11/engine/keys/ec_key.h"

namespace tallystick::token {

Outcome<SharedPkey> parse_key(const core::Crypto& crypto, const AttributeSet& attributes,
                              core::ByteView value) {
  const auto object_class = attributes.number(CKA_CLASS);
  if (object_class == CKO_PUBLIC_KEY || object_class == CKO_PRIVATE_KEY) {
    if (attributes.number(CKA_KEY_TYPE) == CKK_EC) return parse_ec_key(crypto, attributes, value);
  }
  return wrong_key_type("not an asymmetric key");
}

Outcome<core::Bytes> public_key_info(const EVP_PKEY* key) {
  const int size = i2d_PUBKEY(key, nullptr);
  if (size <= 0) return crypto_failed("SubjectPublicKeyInfo");
  core::Bytes out(static_cast<std::size_t>(size));
  auto* cursor = out.data();
  if (i2d_PUBKEY(key, &cursor) != size) return crypto_failed("SubjectPublicKeyInfo");
  return out;
}

}  // namespace tallystick::token
