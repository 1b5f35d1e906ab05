// AES-GCM and AES-CCM with 16-byte tags: one key, many messages, each in one piece.
#pragma once

#include "core/crypto/crypto.h"

namespace tallystick::core {

enum class AeadAlgorithm : std::uint8_t { kGcm, kCcm };
// What an Aead is made for; setting up the direction that is not used would double the cost.
enum class AeadUse : std::uint8_t { kBoth, kSeal, kOpen };

class Aead {
 public:
  static constexpr std::size_t kTagSize = 16;

  // `key` of 16, 24 or 32 bytes; nonces of `nonce_size` bytes (CCM: 7 to 13). One object serves
  // one direction after the other but not two threads at once.
  static Result<Aead> create(const Crypto& crypto, AeadAlgorithm algorithm, ByteView key,
                             std::size_t nonce_size = 12, AeadUse use = AeadUse::kBoth);

  // `out` has plaintext.size() + kTagSize bytes: ciphertext, then tag. It begins where the
  // plaintext does or does not overlap it. kInvalidArgument when made for opening.
  Status seal(ByteView nonce, ByteView aad, ByteView plaintext, MutableByteView out);
  // `sealed` is ciphertext, then tag; `out` has sealed.size() − kTagSize bytes and begins where
  // `sealed` does or does not overlap it. On kOpenFailed `out` has been wiped. kInvalidArgument
  // when made for sealing.
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
