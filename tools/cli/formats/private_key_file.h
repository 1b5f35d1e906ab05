// Private keys from files (PEM or DER, not encrypted): into the token for sealing, and in the form
// that a package carries.
#pragma once

#include "core/base/secret.h"
#include "core/crypto/crypto.h"
#include "tools/cli/pkcs11/session.h"

namespace tallystick::cli {

// PKCS#8 DER as libcrypto writes it: EC with named curve and public key.
Outcome<core::Secret> private_key_as_pkcs8(const core::Crypto& crypto, const std::string& path);

// As a session object that may be wrapped.
Outcome<Handle> import_private_key(const core::Crypto& crypto, Session& session,
                                   const std::string& path);
// Symmetric keys and secret bytes from a file, likewise.
Outcome<Handle> import_secret(Session& session, const std::string& path);

constexpr std::size_t kMostSecretBytes = 4096;

}  // namespace tallystick::cli
