// Keys written out: a token's private key as PEM with its URI, and as text. Everything public is
// written by the default provider, which takes the public part over.
#pragma once

#include <openssl/core.h>

namespace tallystick::provider {

const OSSL_ALGORITHM* encoder_algorithms();

}  // namespace tallystick::provider
