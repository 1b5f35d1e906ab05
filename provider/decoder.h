// The PEM with a key's URI, read back: the key that it names, wherever a command takes a key file.
#pragma once

#include <openssl/core.h>

namespace tallystick::provider {

const OSSL_ALGORITHM* decoder_algorithms();

}  // namespace tallystick::provider
