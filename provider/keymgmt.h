// Key management: what the core does with a key of any type. One implementation for all types,
// since libcrypto's own keys do the work that needs no secret; the types differ in names only.
#pragma once

#include "provider/key.h"
#include "provider/key_types.h"

namespace tallystick::provider {

const OSSL_ALGORITHM* keymgmt_algorithms();

// Generation (keymgmt_gen.cpp).
void* generation_init(Context& context, const KeyType& type, int selection,
                      const OSSL_PARAM params[]);
int generation_set_template(void* generation, void* key);
int generation_set_params(void* generation, const OSSL_PARAM params[]);
const OSSL_PARAM* generation_settable(void* generation, void* provider_context);
void* generate(void* generation, OSSL_CALLBACK* progress, void* argument);
void generation_cleanup(void* generation);

}  // namespace tallystick::provider
