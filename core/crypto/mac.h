// HMAC (SHA-2) and AES-CMAC, in one go or as a stream.
#pragma once

#include <initializer_list>

#include "core/crypto/crypto.h"

namespace tallystick::core {

class Mac {
 public:
  static Result<Mac> hmac(const Crypto& crypto, Hash hash, ByteView key);
  // `key` of 16, 24 or 32 bytes.
  static Result<Mac> cmac(const Crypto& crypto, ByteView key);

  // The same stream once more, as far as it has come. A keyed one that has taken in nothing is a
  // stock to copy from, by any number of threads.
  [[nodiscard]] Result<Mac> copy() const;

  Status update(ByteView data);
  // Ends the stream; `out` is as long as the MAC (HMAC: hash_size, CMAC: 16).
  Status finish(MutableByteView out);

 private:
  explicit Mac(MacCtxPtr context) : context_(std::move(context)) {}
  MacCtxPtr context_;
};

// HMAC of the parts one after another; `out` has exactly hash_size(hash) bytes.
Status hmac(const Crypto& crypto, Hash hash, ByteView key, std::initializer_list<ByteView> parts,
            MutableByteView out);
// The same where the MAC itself is a key.
Result<Secret> hmac_secret(const Crypto& crypto, Hash hash, ByteView key,
                           std::initializer_list<ByteView> parts);
Result<ByteArray<16>> cmac(const Crypto& crypto, ByteView key,
                           std::initializer_list<ByteView> parts);

}  // namespace tallystick::core
