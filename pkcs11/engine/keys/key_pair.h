// Asymmetric keys between PKCS#11 attributes and libcrypto: one function each for parsing,
// importing and opening, for all key types.
#pragma once

#include "core/crypto/crypto.h"
#include "pkcs11/engine/object.h"

namespace tallystick::token {

class Template;

// The libcrypto key of a stored public or private key. CKR_KEY_TYPE_INCONSISTENT for other objects.
Outcome<SharedPkey> parse_key(const core::Crypto& crypto, const AttributeSet& attributes,
                              core::ByteView value);

// A public or private key of C_CreateObject, checked (A24). CKR_ATTRIBUTE_VALUE_INVALID for a type
// that is not offered.
Outcome<Draft> import_public_key(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                 const Template& wanted);
Outcome<Draft> import_private_key(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                  const Template& wanted);

// A private key that libcrypto has parsed from a wrapping; an error when it is not of that type.
Outcome<Draft> private_key_draft(CK_KEY_TYPE key_type, const SharedPkey& key);

// An attribute with secret numbers of a key: a view into its value.
core::ByteView secret_attribute(CK_KEY_TYPE key_type, core::ByteView value, CK_ATTRIBUTE_TYPE type);

}  // namespace tallystick::token
