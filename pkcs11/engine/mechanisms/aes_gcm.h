// AES-GCM with the caller's IV, for ordinary keys (PKCS#11 section 2.12).
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

Outcome<std::unique_ptr<CipherOperation>> make_gcm_encrypt(const OperationInput& input);
Outcome<std::unique_ptr<CipherOperation>> make_gcm_decrypt(const OperationInput& input);

}  // namespace tallystick::token
