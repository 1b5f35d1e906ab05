// Secret keys as opaque objects (EVP_SKEY), from OpenSSL 3.5 on: taken by their URI, or made in a
// token ("openssl skeyutl", "openssl enc -skeymgmt").
#pragma once

#include <openssl/core.h>

namespace tallystick::provider {

const OSSL_ALGORITHM* skeymgmt_algorithms();

}  // namespace tallystick::provider
