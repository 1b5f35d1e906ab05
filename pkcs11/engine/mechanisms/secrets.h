// Secret keys that mechanisms make: random ones of CKA_VALUE_LEN bytes, and what a derivation
// gives.
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

// In bytes: shorter ones can be searched (A13).
constexpr std::size_t kShortestSecret = 16;

Outcome<Produced> make_secret(const GenerateInput& input, CK_KEY_TYPE key_type,
                              std::size_t shortest);

// The secret key that a template asks for; a generic one where it names no type. Of no length or of
// one that keys of the type have, kShortestSecret at least.
struct WantedKey {
  CK_KEY_TYPE type = CKK_GENERIC_SECRET;
  std::optional<std::size_t> length;
};
Outcome<WantedKey> wanted_secret(const Template& wanted);

// A secret key with this value; CKR_KEY_SIZE_RANGE where keys of the type have another length.
Outcome<Produced> secret_of(CK_KEY_TYPE key_type, core::Secret value);

}  // namespace tallystick::token
