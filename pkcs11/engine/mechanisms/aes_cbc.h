// AES-CBC, for whole blocks and with PKCS#7 padding (PKCS#11 2.40, section 2.10). It encrypts data;
// keys are never wrapped with it (A11).
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

Outcome<std::unique_ptr<CipherOperation>> make_cbc_encrypt(const OperationInput& input);
Outcome<std::unique_ptr<CipherOperation>> make_cbc_decrypt(const OperationInput& input);
Outcome<std::unique_ptr<CipherOperation>> make_cbc_pad_encrypt(const OperationInput& input);
Outcome<std::unique_ptr<CipherOperation>> make_cbc_pad_decrypt(const OperationInput& input);

}  // namespace tallystick::token
