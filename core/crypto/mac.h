// HMAC and AES-CMAC, in one go or as a stream.
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

  // Of the whole MAC, in bytes (HMAC: hash_size, CMAC: 16).
  [[nodiscard]] std::size_t size() const { return size_; }
  Status update(ByteView data);
  // Ends the stream; `out` has exactly size() bytes.
  Status finish(MutableByteView out);

 private:
  Mac(MacCtxPtr context, std::size_t size) : context_(std::move(context)), size_(size) {}
  MacCtxPtr context_;
  std::size_t size_;
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
