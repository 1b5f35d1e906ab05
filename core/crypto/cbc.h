// AES-CBC over whole blocks, without padding. It authenticates nothing: for formats of others that
// verify what they decrypt by other means.
#pragma once

#include "core/crypto/crypto.h"

namespace tallystick::core {

// `key` of 16, 24 or 32 bytes, whole blocks of 16 bytes in place.
Status cbc_encrypt(const Crypto& crypto, ByteView key, const ByteArray<16>& iv,
                   MutableByteView data);
Status cbc_decrypt(const Crypto& crypto, ByteView key, const ByteArray<16>& iv,
                   MutableByteView data);

}  // namespace tallystick::core
