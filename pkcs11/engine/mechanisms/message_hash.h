// The hash of a message as it comes, for mechanisms that sign hashes.
#pragma once

#include "core/crypto/hash.h"
#include "pkcs11/engine/fault.h"

namespace tallystick::token {

class MessageHash {
 public:
  static Outcome<MessageHash> create(const core::Crypto& crypto, core::Hash hash) {
    auto hasher = core::Hasher::create(crypto, hash);
    if (!hasher) return from_core(hasher.error(), CKR_FUNCTION_FAILED);
    return MessageHash(*std::move(hasher), core::hash_size(hash));
  }

  Outcome<void> update(core::ByteView data) {
    if (auto fed = hasher_.update(data); !fed) return from_core(fed.error(), CKR_FUNCTION_FAILED);
    return {};
  }
  // The view lives as long as this.
  Outcome<core::ByteView> finish() {
    const auto out = core::MutableByteView(digest_).first(size_);
    if (auto done = hasher_.finish(out); !done) return from_core(done.error(), CKR_FUNCTION_FAILED);
    return core::ByteView(out);
  }

 private:
  MessageHash(core::Hasher hasher, std::size_t size) : hasher_(std::move(hasher)), size_(size) {}
  core::Hasher hasher_;
  std::size_t size_;
  core::ByteArray<64> digest_{};
};

}  // namespace tallystick::token
