// PKCS#8 (RFC 5208): the form in which private keys travel in packages.
#pragma once

#include "core/crypto/crypto.h"

namespace tallystick::core {

// The DER that libcrypto writes for a private key of any type.
Result<Secret> pkcs8_der(const EVP_PKEY* key);

// Nothing but one whole PrivateKeyInfo; kMalformed for everything else.
Result<PkeyPtr> parse_pkcs8(const Crypto& crypto, ByteView der);

}  // namespace tallystick::core
