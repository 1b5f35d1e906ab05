// A random secret key of CKA_VALUE_LEN bytes.
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

// In bytes: shorter ones can be searched (A13).
constexpr std::size_t kShortestSecret = 16;

Outcome<Produced> make_secret(const GenerateInput& input, CK_KEY_TYPE key_type,
                              std::size_t shortest);

}  // namespace tallystick::token
