// HKDF (RFC 5869), the counter-mode KDF of SP 800-108r1 with HMAC, PBKDF2 (RFC 8018) with HMAC, and
// scrypt (RFC 7914).
#pragma once

#include "core/crypto/crypto.h"

namespace tallystick::core {

// HKDF-Extract: a pseudo-random key of hash_size(hash) bytes. An empty salt means zeros.
Result<Secret> hkdf_extract(const Crypto& crypto, Hash hash, ByteView salt, ByteView ikm);
// HKDF-Expand to `size` bytes, 1 to 255 × hash_size(hash).
Result<Secret> hkdf_expand(const Crypto& crypto, Hash hash, ByteView prk, ByteView info,
                           std::size_t size);
// Both steps.
Result<Secret> hkdf(const Crypto& crypto, Hash hash, ByteView salt, ByteView ikm, ByteView info,
                    std::size_t size);

// SP 800-108r1 counter mode, HMAC, r = 32: blocks of HMAC(key, u32(i) ‖ label ‖ 0x00 ‖ context ‖
// u32(8 × size)), the last one cut.
Result<Secret> counter_kdf(const Crypto& crypto, Hash hash, ByteView key, ByteView label,
                           ByteView context, std::size_t size);

// `iterations` at least 1; neither the salt nor the password has a shortest length.
Result<Secret> pbkdf2(const Crypto& crypto, Hash hash, ByteView password, ByteView salt,
                      std::uint64_t iterations, std::size_t size);

struct ScryptCost {
  std::uint64_t n = 0;  // a power of two
  std::uint32_t r = 0;
  std::uint32_t p = 0;
};
// Memory used: 128 × n × r bytes, refused by libcrypto above 1 GiB.
Result<Secret> scrypt(const Crypto& crypto, ByteView password, ByteView salt, ScryptCost cost,
                      std::size_t size);

}  // namespace tallystick::core
