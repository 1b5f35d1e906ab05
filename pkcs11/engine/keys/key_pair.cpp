#include "pkcs11/engine/keys/key_pair.h"

#include "pkcs11/engine/keys/ec_key.h"
#include "pkcs11/engine/keys/ecx_key.h"
#include "pkcs11/engine/keys/pq_key.h"
#include "pkcs11/engine/keys/rsa_key.h"

namespace tallystick::token {
namespace {

Fault not_offered() { return bad_value("keys of this type are not offered"); }

}  // namespace

Outcome<SharedPkey> parse_key(const core::Crypto& crypto, const AttributeSet& attributes,
                              core::ByteView value) {
  const auto object_class = attributes.number(CKA_CLASS);
  if (object_class == CKO_PUBLIC_KEY || object_class == CKO_PRIVATE_KEY) {
    switch (attributes.number(CKA_KEY_TYPE).value_or(CK_UNAVAILABLE_INFORMATION)) {
      case CKK_RSA:
        return parse_rsa_key(crypto, attributes, value);
      case CKK_EC:
        return parse_ec_key(crypto, attributes, value);
      case CKK_EC_EDWARDS:
      case CKK_EC_MONTGOMERY:
        return parse_ecx_key(crypto, attributes, value);
      case CKK_ML_KEM:
      case CKK_ML_DSA:
      case CKK_SLH_DSA:
        return parse_pq_key(crypto, attributes, value);
      default:
        break;
    }
  }
  return wrong_key_type("not an asymmetric key");
}

Outcome<Draft> import_public_key(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                 const Template& wanted) {
  switch (key_type) {
    case CKK_RSA:
      return import_rsa_public(crypto, wanted);
    case CKK_EC:
      return import_ec_public(crypto, wanted);
    case CKK_EC_EDWARDS:
    case CKK_EC_MONTGOMERY:
      return import_ecx_public(crypto, key_type, wanted);
    case CKK_ML_KEM:
    case CKK_ML_DSA:
    case CKK_SLH_DSA:
      return import_pq_public(crypto, key_type, wanted);
    default:
      return not_offered();
  }
}

Outcome<Draft> import_private_key(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                  const Template& wanted) {
  switch (key_type) {
    case CKK_RSA:
      return import_rsa_private(crypto, wanted);
    case CKK_EC:
      return import_ec_private(crypto, wanted);
    case CKK_EC_EDWARDS:
    case CKK_EC_MONTGOMERY:
      return import_ecx_private(crypto, key_type, wanted);
    case CKK_ML_KEM:
    case CKK_ML_DSA:
    case CKK_SLH_DSA:
      return import_pq_private(crypto, key_type, wanted);
    default:
      return not_offered();
  }
}

Outcome<Draft> private_key_draft(CK_KEY_TYPE key_type, const SharedPkey& key) {
  switch (key_type) {
    case CKK_RSA:
      if (EVP_PKEY_is_a(key.get(), "RSA") != 1) return wrong_key_type("not an RSA key");
      return rsa_private_draft(key);
    case CKK_EC:
      return ec_private_draft(key);
    case CKK_EC_EDWARDS:
    case CKK_EC_MONTGOMERY:
      return ecx_private_draft(key_type, key);
    case CKK_ML_KEM:
    case CKK_ML_DSA:
    case CKK_SLH_DSA:
      return pq_private_draft(key_type, key);
    default:
      return not_offered();
  }
}

core::ByteView secret_attribute(CK_KEY_TYPE key_type, core::ByteView value,
                                CK_ATTRIBUTE_TYPE type) {
  if (key_type == CKK_RSA) return rsa_component(value, type);
  return has_parameter_set(key_type) ? pq_secret(key_type, value, type) : value;
}

}  // namespace tallystick::token
