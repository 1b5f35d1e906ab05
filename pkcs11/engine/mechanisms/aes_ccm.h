// AES-CCM with the caller's nonce, for ordinary keys (PKCS#11 2.40, section 2.12.3).
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

Outcome<std::unique_ptr<CipherOperation>> make_ccm_encrypt(const OperationInput& input);
Outcome<std::unique_ptr<CipherOperation>> make_ccm_decrypt(const OperationInput& input);

// The only tag length: shorter ones are easier to forge (A34).
constexpr std::size_t kCcmTagSize = 16;
constexpr std::size_t kCcmLargestAad = 1UL << 20;

// A copy of the nonce for a text of `size` bytes. CKR_MECHANISM_PARAM_INVALID where CCM has no such
// nonce, or the nonce leaves no room to write the length.
Outcome<core::Bytes> ccm_nonce(const void* memory, CK_ULONG length, CK_ULONG size);

}  // namespace tallystick::token
