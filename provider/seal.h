// Sealing the assets of a package: the keys that a share set derives encrypt by a mechanism of
// their own, under a context that says what the asset is to the part (docs/formats.md, section 6).
// For OpenSSL that is asymmetric encryption: "openssl pkeyutl -encrypt", with the context and,
// where a key of the token is to be sealed, that key's URI as options.
#pragma once

#include <openssl/core.h>

namespace tallystick::provider {

// A row for the table of all asymmetric ciphers (asym_cipher.cpp).
OSSL_ALGORITHM cipher_of_asset_key();

}  // namespace tallystick::provider
