// AES in counter mode (PKCS#11 2.40, section 2.11).
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

Outcome<std::unique_ptr<CipherOperation>> make_ctr_encrypt(const OperationInput& input);
Outcome<std::unique_ptr<CipherOperation>> make_ctr_decrypt(const OperationInput& input);

}  // namespace tallystick::token
