// AES-GCM with the caller's IV, for ordinary keys (PKCS#11 section 2.12), and what its other forms
// need of it.
#pragma once

#include "pkcs11/engine/mechanisms/cipher_context.h"

namespace tallystick::token {

Outcome<std::unique_ptr<CipherOperation>> make_gcm_encrypt(const OperationInput& input);
Outcome<std::unique_ptr<CipherOperation>> make_gcm_decrypt(const OperationInput& input);

// The only tag length: shorter ones are easier to forge (A34).
constexpr std::size_t kGcmTagSize = 16;
constexpr std::size_t kGcmLargestIv = 128;
// What is held back until the tag was seen, in decryption by parts.
constexpr std::size_t kGcmLargestHeld = 64UL << 20;

// A context of libcrypto with key, IV and associated data in place. The IV has at most
// kGcmLargestIv bytes. CKR_MECHANISM_PARAM_INVALID without one, or for associated data that are too
// long.
Outcome<LentCipherPtr> gcm_context(const core::Crypto& crypto, const Object& key, bool encrypting,
                                   core::ByteView iv, core::ByteView aad);
// Encrypts the next part into as many bytes; `in` and `out` may be the same memory.
Outcome<void> gcm_encrypt(EVP_CIPHER_CTX* context, core::ByteView in, core::MutableByteView out);
// Ends the message and gives its tag.
Outcome<void> gcm_tag(EVP_CIPHER_CTX* context, core::MutableByteView tag);
// Decrypts a whole message; false when it does not carry the tag, and then `out` means nothing.
bool gcm_open(EVP_CIPHER_CTX* context, core::ByteView in, core::ByteView tag,
              core::MutableByteView out);

}  // namespace tallystick::token
