// PKCS#8 (RFC 5208): the form in which private keys travel in packages and wrappings. For RSA, EC
// and the curves of RFC 7748 and RFC 8032 the structures are put together and taken apart here with
// libcrypto's ASN.1, since its own encoders and decoders of keys leave copies in freed memory.
#pragma once

#include "core/crypto/crypto.h"

namespace tallystick::core {

// The DER that libcrypto writes for a private key of any type.
Result<Secret> pkcs8_der(const EVP_PKEY* key);

// Nothing but one whole PrivateKeyInfo; kMalformed for everything else. An EC key is in its range,
// and the public key that comes with it is its own. Numbers of an RSA key are not checked here.
Result<PkeyPtr> parse_pkcs8(const Crypto& crypto, ByteView der);

}  // namespace tallystick::core
