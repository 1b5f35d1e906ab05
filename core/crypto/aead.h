// AES-GCM and AES-CCM with 16-byte tags: one key, many messages, each in one piece.
#pragma once

#include "core/crypto/crypto.h"

namespace tallystick::core {

enum class AeadAlgorithm : std::uint8_t { kGcm, kCcm };

class Aead {
 public:
  static constexpr std::size_t kTagSize = 16;

  // `key` of 16, 24 or 32 bytes; nonces of `nonce_size` bytes (CCM: 7 to 13). One object serves
  // one direction after the other but not two threads at once.
  static Result<Aead> create(const Crypto& crypto, AeadAlgorithm algorithm, ByteView key,
                             std::size_t nonce_size = 12);

  // `out` has plaintext.size() + kTagSize bytes: ciphertext, then tag. May not overlap the input.
  Status seal(ByteView nonce, ByteView aad, ByteView plaintext, MutableByteView out);
  // `sealed` is ciphertext, then tag; `out` has sealed.size() − kTagSize bytes. On kOpenFailed
  // `out` has been wiped.
  Status open(ByteView nonce, ByteView aad, ByteView sealed, MutableByteView out);

 private:
  Aead(CipherCtxPtr seal, CipherCtxPtr open, AeadAlgorithm algorithm, std::size_t nonce_size)
      : seal_(std::move(seal)),
        open_(std::move(open)),
        algorithm_(algorithm),
        nonce_size_(nonce_size) {}

  CipherCtxPtr seal_;
  CipherCtxPtr open_;
  AeadAlgorithm algorithm_;
  std::size_t nonce_size_;
};

}  // namespace tallystick::core
