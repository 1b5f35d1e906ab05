// The groups of TLS whose keys are ours where the provider is preferred: libssl takes a group only
// of the provider that also manages its keys, so that without these none of them would be left.
#pragma once

#include "provider/context.h"

namespace tallystick::provider {

// Those of ML-KEM only where this libcrypto has it.
int give_tls_groups(const Context& context, OSSL_CALLBACK* take, void* argument);

}  // namespace tallystick::provider
