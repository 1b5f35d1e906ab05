// Stream: reproducible random bytes from a seed, AES-256 in counter mode. It unfolds a part's
// silicon, and gives tests and studies noise that comes again.
#pragma once

#include "core/crypto/crypto.h"

namespace tallystick::device::puf {

class Stream {
 public:
  static core::Result<Stream> create(const core::Crypto& crypto, const core::ByteArray<32>& seed);
  // The next bytes. The caller gets no more than 2^31 at once.
  core::Status fill(core::MutableByteView out);

 private:
  explicit Stream(core::CipherCtxPtr context) : context_(std::move(context)) {}
  core::CipherCtxPtr context_;
};

}  // namespace tallystick::device::puf
