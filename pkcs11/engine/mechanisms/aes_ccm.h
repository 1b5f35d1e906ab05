// AES-CCM with the caller's nonce, for ordinary keys (PKCS#11 2.40, section 2.12.3).
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

Outcome<std::unique_ptr<CipherOperation>> make_ccm_encrypt(const OperationInput& input);
Outcome<std::unique_ptr<CipherOperation>> make_ccm_decrypt(const OperationInput& input);

}  // namespace tallystick::token
