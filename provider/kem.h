// Key encapsulation: ML-KEM with a token's key (FIPS 203). Who sends a secret needs the public key
// only, so libcrypto makes it; the token opens what was sent.
#pragma once

#include <openssl/core.h>

namespace tallystick::provider {

const OSSL_ALGORITHM* kem_algorithms();

}  // namespace tallystick::provider
