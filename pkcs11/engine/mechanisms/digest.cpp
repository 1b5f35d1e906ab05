// SHA-1, SHA-2 and SHA-3 digests.
#include "core/crypto/hash.h"
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

template <core::Hash kHash>
Mechanism digest_mechanism(CK_MECHANISM_TYPE type) {
  Mechanism mechanism;
  mechanism.type = type;
  mechanism.digest = &make_digest<kHash>;
  return mechanism;
}

}  // namespace

void register_digests(MechanismTable& table) {
  table.add(digest_mechanism<core::Hash::kSha1>(CKM_SHA_1));
  table.add(digest_mechanism<core::Hash::kSha224>(CKM_SHA224));
  table.add(digest_mechanism<core::Hash::kSha256>(CKM_SHA256));
  table.add(digest_mechanism<core::Hash::kSha384>(CKM_SHA384));
  table.add(digest_mechanism<core::Hash::kSha512>(CKM_SHA512));
  table.add(digest_mechanism<core::Hash::kSha512_224>(CKM_SHA512_224));
  table.add(digest_mechanism<core::Hash::kSha512_256>(CKM_SHA512_256));
  table.add(digest_mechanism<core::Hash::kSha3_224>(CKM_SHA3_224));
  table.add(digest_mechanism<core::Hash::kSha3_256>(CKM_SHA3_256));
  table.add(digest_mechanism<core::Hash::kSha3_384>(CKM_SHA3_384));
  table.add(digest_mechanism<core::Hash::kSha3_512>(CKM_SHA3_512));
}

}  // namespace tallystick::token
