// CKDF: how the keys of an SB3.1 container are derived, SP 800-108 in counter mode with AES-CMAC
// (docs/formats.md section 10).
//
//   key-derivation key = CKDF(part common key, constant = the header's timestamp)
//   block key          = CKDF(key-derivation key, constant = the block's number)
//   block i            = AES-CBC(block key, IV zero)
#pragma once

#include "core/crypto/crypto.h"

namespace tallystick::core::sb3 {

enum class KeyUse : std::uint8_t { kDerivation = 0x01, kBlock = 0x10 };

// The access rights that containers here are made with.
constexpr unsigned kAccessRights = 3;

// A key of `bits` (128 or 256) from one of 16 or 32 bytes. Every CMAC is over
//   constant (12 bytes) ‖ 0^8 ‖ u8(rights × 64) ‖ u8(use) ‖ 00 ‖ u8(20 or 21: 128 or 256 bits)
//   ‖ u32 bits ‖ u32 iteration, the last two big-endian.
Result<Secret> ckdf(const Crypto& crypto, ByteView key, std::uint64_t constant, unsigned rights,
                    KeyUse use, unsigned bits);

// From the part common key to the key of one block, and that block's data in place.
class BlockCipher {
 public:
  static Result<BlockCipher> create(const Crypto& crypto, ByteView part_common_key,
                                    std::uint64_t timestamp, unsigned bits);
  Status encrypt(std::uint32_t number, MutableByteView data) const;
  Status decrypt(std::uint32_t number, MutableByteView data) const;

 private:
  BlockCipher(const Crypto& crypto, Secret key, unsigned bits)
      : crypto_(&crypto), derivation_key_(std::move(key)), bits_(bits) {}
  [[nodiscard]] Result<Secret> block_key(std::uint32_t number) const;

  const Crypto* crypto_;
  Secret derivation_key_;
  unsigned bits_;
};

}  // namespace tallystick::core::sb3
