// The signature algorithms of TLS whose keys are ours where the provider is asked first: libssl
// takes one only of the provider that also manages its keys. From OpenSSL 3.5 on; those that every
// libssl knows by itself are not asked of providers.
#pragma once

#include <openssl/core.h>

#include "provider/context.h"

namespace tallystick::provider {

// Gives nothing where this libcrypto has no ML-DSA: its signatures could not be verified.
int give_tls_signatures(const Context& context, OSSL_CALLBACK* take, void* argument);

}  // namespace tallystick::provider
