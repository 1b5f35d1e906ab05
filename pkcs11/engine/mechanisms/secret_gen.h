// A random secret key of CKA_VALUE_LEN bytes.
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

Outcome<Produced> make_secret(const GenerateInput& input, CK_KEY_TYPE key_type,
                              std::size_t shortest);

}  // namespace tallystick::token
