// What a pkcs11: URI names, as OpenSSL's stores give it: private and public keys, certificates.
#pragma once

#include <openssl/core.h>

namespace tallystick::provider {

const OSSL_ALGORITHM* store_algorithms();

}  // namespace tallystick::provider
