// C_CreateObject: turns a caller's template into a draft, with every value checked (A24), before
// the policy decides about it.
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

Outcome<Produced> import_object(const MechanismTable& table, const CreateInput& input);

// Secret keys: the lengths that a key type may have.
Outcome<void> check_secret_length(CK_KEY_TYPE key_type, std::size_t length);

}  // namespace tallystick::token
