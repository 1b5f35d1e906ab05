// K_AUTH and K_PROOF: standard mechanisms that mean more on these keys. K_AUTH of role OEM tags
// only what is the head of one of its own packages, signed by the OEM; K_PROOF only verifies.
#include "core/crypto/mac.h"
#include "pkcs11/engine/mechanisms/ts_mechanisms.h"
#include "pkcs11/engine/mechanisms/ts_running.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kTagSize = 16;
constexpr std::size_t kMostTagged = core::package_head_size(core::kMostAssets) - kTagSize;

bool has_label(const Object& key, std::string_view label) {
  return key.managed() && core::text_of(key.attributes().bytes(CKA_TS_LABEL)) == label;
}
bool is_k_auth(const Object& key) { return has_label(key, core::kLabelAuth); }
bool is_k_proof(const Object& key) { return has_label(key, core::kLabelProof); }

// Keeps what is to be tagged: it is judged as a whole.
class Collected {
 public:
  Outcome<void> add(core::ByteView data) {
    if (data.size() > kMostTagged - bytes_.size()) {
      return fault(CKR_DATA_INVALID, "longer than the head of any package");
    }
    bytes_.insert(bytes_.end(), data.begin(), data.end());
    return {};
  }
  [[nodiscard]] core::ByteView view() const { return bytes_; }

 private:
  core::Bytes bytes_;
};

class TagOperation : public SignOperation {
 public:
  TagOperation(std::shared_ptr<const AssetKeyPayload> key, Running running)
      : key_(std::move(key)), running_(std::move(running)) {}

  [[nodiscard]] std::size_t size() const override { return kTagSize; }
  Outcome<void> update(core::ByteView data) override { return head_.add(data); }
  Outcome<void> finish(core::MutableByteView signature) override {
    const auto tag = running_.software().tag_package(key_->key, head_.view());
    if (!tag) return from_core(tag.error(), CKR_DATA_INVALID);
    std::copy(tag->begin(), tag->end(), signature.begin());
    return {};
  }

 private:
  std::shared_ptr<const AssetKeyPayload> key_;
  Running running_;
  Collected head_;
};

class CheckTagOperation : public VerifyOperation {
 public:
  CheckTagOperation(std::shared_ptr<const AssetKeyPayload> key, Running running)
      : key_(std::move(key)), running_(std::move(running)) {}

  Outcome<void> update(core::ByteView data) override { return head_.add(data); }
  Outcome<void> finish(core::ByteView signature) override {
    if (signature.size() != kTagSize) {
      return fault(CKR_SIGNATURE_LEN_RANGE, "a package tag has 16 bytes");
    }
    const auto checked = running_.software().check_package_tag(key_->key, head_.view(), signature);
    if (!checked) return from_core(checked.error(), CKR_SIGNATURE_INVALID);
    return {};
  }

 private:
  std::shared_ptr<const AssetKeyPayload> key_;
  Running running_;
  Collected head_;
};

template <typename Operation, typename Base>
Outcome<std::unique_ptr<Base>> start(const OperationInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto key = asset_key_of(*input.key);
  if (!key) return std::move(key).error();
  auto running = Running::find(input.context, (*key)->key.context.family_id);
  if (!running) return std::move(running).error();
  return std::unique_ptr<Base>(std::make_unique<Operation>(*std::move(key), *std::move(running)));
}

class ProofMacOperation : public VerifyOperation {
 public:
  explicit ProofMacOperation(core::Mac mac) : mac_(std::move(mac)) {}

  Outcome<void> update(core::ByteView data) override {
    if (auto fed = mac_.update(data); !fed) return from_core(fed.error(), CKR_FUNCTION_FAILED);
    return {};
  }
  Outcome<void> finish(core::ByteView signature) override {
    core::ByteArray<48> expected{};
    if (auto done = mac_.finish(expected); !done) {
      return from_core(done.error(), CKR_FUNCTION_FAILED);
    }
    if (signature.size() != expected.size()) {
      return fault(CKR_SIGNATURE_LEN_RANGE, "a slot's MAC has 48 bytes");
    }
    if (!core::equal_in_constant_time(expected, signature)) {
      return fault(CKR_SIGNATURE_INVALID, "the part's MAC does not hold for these contents");
    }
    return {};
  }

 private:
  core::Mac mac_;
};

Outcome<std::unique_ptr<VerifyOperation>> verify_proof(const OperationInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto key = asset_key_of(*input.key);
  if (!key) return std::move(key).error();
  auto mac = core::Mac::hmac(input.context.crypto, core::Hash::kSha384, (*key)->key.value.view());
  if (!mac) return from_core(mac.error(), CKR_FUNCTION_FAILED);
  return std::unique_ptr<VerifyOperation>(std::make_unique<ProofMacOperation>(*std::move(mac)));
}

}  // namespace

void register_ts_package_tag(MechanismTable& table) {
  Mechanism tag;
  tag.type = CKM_AES_CMAC;
  tag.min_key_size = 32;
  tag.max_key_size = 32;
  tag.key_types = {CKK_AES};
  tag.only_for = is_k_auth;
  tag.for_managed = true;
  tag.sign = start<TagOperation, SignOperation>;
  tag.verify = start<CheckTagOperation, VerifyOperation>;
  table.add(std::move(tag));

  Mechanism proof;
  proof.type = CKM_SHA384_HMAC;
  proof.min_key_size = 32;
  proof.max_key_size = 32;
  proof.key_types = {CKK_GENERIC_SECRET};
  proof.only_for = is_k_proof;
  proof.for_managed = true;
  proof.verify = verify_proof;
  table.add(std::move(proof));
}

}  // namespace tallystick::token
