// Signatures: what a token signs, and what libcrypto verifies or signs for keys of its own.
#pragma once

#include <openssl/core.h>

namespace tallystick::provider {

const OSSL_ALGORITHM* signature_algorithms();

}  // namespace tallystick::provider
