// What the mechanisms of ML-KEM, ML-DSA and SLH-DSA have in common.
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

// An entry for keys of the type, with the lengths of their public keys.
Mechanism pq_mechanism(CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type);
// One that makes their pairs; `key_type` is one of the three.
Mechanism pq_pair_mechanism(CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type);

}  // namespace tallystick::token
