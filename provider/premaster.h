// What a TLS client chose and sent under a server's RSA key (RFC 5246, 7.4.7.1): the server must
// not tell, by an answer or by its time, whether what it opened was well formed.
#pragma once

#include <openssl/types.h>

#include "core/base/secret.h"
#include "provider/failure.h"

namespace tallystick::provider {

constexpr std::size_t kPremasterBytes = 48;

// The versions of the protocol that libssl gives with a decryption.
struct TlsVersions {
  unsigned client = 0;
  unsigned negotiated = 0;  // 0: only the client's own counts
};
TlsVersions tls_versions_of(EVP_PKEY_CTX* operation);

// The 48 bytes that go on into the handshake: those that were opened when they are 48 and begin
// with a version that counts, else random ones, by which the handshake fails later. A token that
// could not use its key at all (a failure other than that of the padding) is a failure here too.
Outcome<core::Secret> premaster_of(OSSL_LIB_CTX* lib, const Outcome<core::Secret>& opened,
                                   const TlsVersions& versions);

}  // namespace tallystick::provider
