// SHA-1, SHA-2 and SHA-3 digests.
#include "core/crypto/hash.h"
#include "pkcs11/engine/mechanisms/hash_numbers.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {
namespace {

class Digest final : public DigestOperation {
 public:
  Digest(core::Hasher hasher, std::size_t size) : hasher_(std::move(hasher)), size_(size) {}
  std::size_t size() const override { return size_; }
  Outcome<void> update(core::ByteView data) override {
    if (auto fed = hasher_.update(data); !fed) return from_core(fed.error(), CKR_FUNCTION_FAILED);
    return {};
  }
  Outcome<void> finish(core::MutableByteView digest) override {
    if (auto done = hasher_.finish(digest); !done) {
      return from_core(done.error(), CKR_FUNCTION_FAILED);
    }
    return {};
  }
  Outcome<std::unique_ptr<DigestOperation>> copy() const override {
    auto hasher = hasher_.copy();
    if (!hasher) return from_core(hasher.error(), CKR_FUNCTION_FAILED);
    return std::unique_ptr<DigestOperation>(std::make_unique<Digest>(*std::move(hasher), size_));
  }

 private:
  core::Hasher hasher_;
  std::size_t size_;
};

template <core::Hash kHash>
Outcome<std::unique_ptr<DigestOperation>> make_digest(const Context& context,
                                                      const Parameter& parameter) {
  if (auto none = parameter.none(); !none) return std::move(none).error();
  auto hasher = core::Hasher::create(context.crypto, kHash);
  if (!hasher) return from_core(hasher.error(), CKR_FUNCTION_FAILED);
  return std::unique_ptr<DigestOperation>(
      std::make_unique<Digest>(*std::move(hasher), core::hash_size(kHash)));
}

}  // namespace

void register_digests(MechanismTable& table) {
  for_each_hash<core::kHashCount>([&table]<core::Hash kHash>() {
    Mechanism mechanism;
    mechanism.type = digest_numbers_of(kHash).digest;
    mechanism.digest = &make_digest<kHash>;
    table.add(std::move(mechanism));
  });
}

}  // namespace tallystick::token
