// Digests by a token. They are offered where the settings name a token for them, and nowhere else:
// a digest needs no secret, so nobody is given one that costs a call of a module without having
// asked.
#pragma once

#include <openssl/core.h>

#include "provider/settings.h"

namespace tallystick::provider {

// Null where the settings name no token.
const OSSL_ALGORITHM* digest_algorithms(const Settings& settings);

}  // namespace tallystick::provider
