// AES key wrap (RFC 3394, SP 800-38F KW): deterministic, authenticated, 8 bytes longer than what it
// wraps. For keys and what stands beside them, at most kMostWrapped bytes.
#pragma once

#include "core/crypto/crypto.h"

namespace tallystick::core {

constexpr std::size_t kKeyWrapOverhead = 8;
constexpr std::size_t kMostWrapped = 4096;

// `key` of 16, 24 or 32 bytes; `plaintext` of whole 8-byte blocks, at least two of them.
Result<Bytes> wrap_key(const Crypto& crypto, ByteView key, ByteView plaintext);
// kOpenFailed for whatever does not unwrap, a length that nothing has when wrapped included.
Result<Secret> unwrap_key(const Crypto& crypto, ByteView key, ByteView wrapped);

}  // namespace tallystick::core
