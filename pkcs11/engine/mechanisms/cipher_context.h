// Cipher contexts of libcrypto under a key of the token: keyed once and lent to one operation after
// another. Operations at the same time have copies.
#pragma once

#include <array>
#include <memory>

#include "core/crypto/crypto.h"
#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

// One call's worth of data; libcrypto counts in int.
constexpr std::size_t kLargestPart = 1UL << 30;

struct ReadyCipher;
// Gives a context back to its key.
struct ReturnCipher {
  std::shared_ptr<const ReadyCipher> owner;
  // Cleared for a context that is no longer as keyed_cipher() gave it.
  bool keep = true;
  void operator()(EVP_CIPHER_CTX* context) const;
};
using LentCipherPtr = std::unique_ptr<EVP_CIPHER_CTX, ReturnCipher>;

// A context that holds an AES key and waits for its IV. It adds and removes no padding. `type`
// tells apart what a key is used for.
Outcome<LentCipherPtr> keyed_cipher(const core::Crypto& crypto, const Object& key,
                                    CK_MECHANISM_TYPE type, core::AesMode mode, bool encrypting);

// Gives the context its IV.
bool start_cipher(EVP_CIPHER_CTX* context, core::ByteView iv);

// What the context makes of `in`, and how much that is; -1 when it fails. Nothing in, nothing out:
// libcrypto reads a null pointer as something else.
int feed_cipher(EVP_CIPHER_CTX* context, core::ByteView in, std::uint8_t* out);

// CKR_DATA_LEN_RANGE or CKR_ENCRYPTED_DATA_LEN_RANGE, as the direction has it.
inline Fault wrong_length(bool encrypting, std::string_view what) {
  return fault(encrypting ? CKR_DATA_LEN_RANGE : CKR_ENCRYPTED_DATA_LEN_RANGE, what);
}

}  // namespace tallystick::token
