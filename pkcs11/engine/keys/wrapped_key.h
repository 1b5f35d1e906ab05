// What a key looks like inside a wrapping: the value of a secret key, PKCS#8 of a private key.
#pragma once

#include "core/crypto/crypto.h"
#include "pkcs11/engine/object.h"

namespace tallystick::token {

class Template;

Outcome<core::Secret> key_encoding(const core::Crypto& crypto, const Object& key);
// The length of the encoding.
Outcome<std::size_t> key_encoding_size(const core::Crypto& crypto, const Object& key);
// The template says which class and key type it is; CKR_WRAPPED_KEY_INVALID when it is not.
Outcome<Draft> key_from_encoding(const core::Crypto& crypto, const Template& wanted,
                                 core::ByteView encoded);

}  // namespace tallystick::token
