// Key agreement: ECDH, X25519 and X448 with a token's key. The token gives the shared secret as it
// is, and what an application wants made of it is made by libcrypto: no module lacks a derivation
// function so.
#pragma once

#include <openssl/core.h>

namespace tallystick::provider {

const OSSL_ALGORITHM* exchange_algorithms();

}  // namespace tallystick::provider
