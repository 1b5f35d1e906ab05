#include "pkcs11/engine/keys/key_pair.h"

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

}  // namespace tallystick::token
