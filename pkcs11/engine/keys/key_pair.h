// Asymmetric keys between PKCS#11 attributes and libcrypto: one function each for parsing,
// importing and making, for all key types.
#pragma once

#include "core/crypto/crypto.h"
#include "pkcs11/engine/object.h"

namespace tallystick::token {

class Template;

// The libcrypto key of a stored public or private key. CKR_KEY_TYPE_INCONSISTENT for other objects.
Outcome<SharedPkey> parse_key(const core::Crypto& crypto, const AttributeSet& attributes,
                              core::ByteView value);

}  // namespace tallystick::token
