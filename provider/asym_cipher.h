// RSA encryption, by libcrypto, and decryption by a token's key.
#pragma once

#include <openssl/core.h>

namespace tallystick::provider {

const OSSL_ALGORITHM* asym_cipher_algorithms();

}  // namespace tallystick::provider
