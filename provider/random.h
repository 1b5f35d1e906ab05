// Random numbers by a token: by themselves, or as the seed of OpenSSL's own generators.
#pragma once

#include <openssl/core.h>

namespace tallystick::provider {

const OSSL_ALGORITHM* random_algorithms();

}  // namespace tallystick::provider
