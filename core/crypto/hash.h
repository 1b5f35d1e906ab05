// Digests (SHA-1, SHA-2, SHA-3), in one go or as a stream.
#pragma once

#include <initializer_list>

#include "core/crypto/crypto.h"

namespace tallystick::core {

// Digest of the parts one after another; `out` has exactly hash_size(hash) bytes.
Status digest(const Crypto& crypto, Hash hash, std::initializer_list<ByteView> parts,
              MutableByteView out);
Result<ByteArray<32>> sha256(const Crypto& crypto, std::initializer_list<ByteView> parts);
Result<ByteArray<48>> sha384(const Crypto& crypto, std::initializer_list<ByteView> parts);

class Hasher {
 public:
  static Result<Hasher> create(const Crypto& crypto, Hash hash);
  // The same stream once more, as far as it has come.
  [[nodiscard]] Result<Hasher> copy() const;
  Status update(ByteView data);
  // Ends the stream; `out` has exactly hash_size bytes.
  Status finish(MutableByteView out);

 private:
  Hasher(MdCtxPtr context, std::size_t size) : context_(std::move(context)), size_(size) {}
  MdCtxPtr context_;
  std::size_t size_;
};

}  // namespace tallystick::core
