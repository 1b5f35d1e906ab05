// RSA signatures: PKCS#1 v1.5 and PSS, of hashes and of messages.
#include <openssl/rsa.h>

#include <algorithm>

#include "pkcs11/engine/mechanisms/message_hash.h"
#include "pkcs11/engine/mechanisms/rsa.h"

namespace tallystick::token {
namespace {

// The key of an operation, made ready for one scheme.
struct RsaSigner {
  ObjectPtr key;
  core::PkeyCtxPtr context;
  std::size_t size;  // of a signature
};

bool start(EVP_PKEY_CTX* context, Object::Prepared use, int padding) {
  const auto init = use == Object::Prepared::kSign ? EVP_PKEY_sign_init : EVP_PKEY_verify_init;
  return init(context) == 1 && EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1;
}

template <typename Init>
Outcome<RsaSigner> signer(const OperationInput& input, Object::Prepared use, std::uint64_t variant,
                          Init init) {
  auto context = ready_context(input.context, *input.key, use, variant, "RSA signature", init);
  if (!context) return std::move(context).error();
  return RsaSigner{input.key, *std::move(context), rsa_size(*input.key)};
}

// PKCS#1 v1.5 over a hash, or over whatever the caller built where there is no hash.
Outcome<RsaSigner> pkcs1_signer(const OperationInput& input, Object::Prepared use,
                                std::optional<core::Hash> hash) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  const auto* const md = hash ? input.context.crypto.md(*hash) : nullptr;
  const auto variant = hash ? numbers_of(*hash).rsa_pkcs : CKM_RSA_PKCS;
  return signer(input, use, variant, [use, md](EVP_PKEY_CTX* context) {
    return start(context, use, RSA_PKCS1_PADDING) &&
           (md == nullptr || EVP_PKEY_CTX_set_signature_md(context, md) == 1);
  });
}

struct PssParams {
  core::Hash hash;
  core::Hash mgf;
  std::size_t salt;
};

// `fixed`: the hash that the mechanism itself says.
Outcome<PssParams> pss_params(const OperationInput& input, std::optional<core::Hash> fixed) {
  auto params = input.parameter.as<CK_RSA_PKCS_PSS_PARAMS>();
  if (!params) return std::move(params).error();
  const auto hash = signature_hash(params->hashAlg);
  const auto mgf = hash_with(&HashNumbers::mgf, params->mgf);
  if (!hash || !mgf) return bad_parameter("a hash or mask of PSS that is not offered");
  if (fixed && *fixed != *hash) return bad_parameter("not the hash of the mechanism");
  // EMSA-PSS has no room for a longer salt (RFC 8017, 9.1.1).
  const auto bits = bits_of(input.key->attributes().bytes(CKA_MODULUS));
  const std::size_t encoded = (bits - 1 + 7) / 8;
  static_assert(EVP_MAX_MD_SIZE + 2 < kSmallestModulus / 8);
  if (params->sLen > encoded - core::hash_size(*hash) - 2) {
    return bad_parameter("a salt that is too long for the key");
  }
  return PssParams{*hash, *mgf, params->sLen};
}

Outcome<RsaSigner> pss_signer(const OperationInput& input, Object::Prepared use,
                              const PssParams& params) {
  const auto& crypto = input.context.crypto;
  const auto variant = rsa_variant(CKM_RSA_PKCS_PSS, params.hash, params.mgf, params.salt);
  return signer(input, use, variant, [&crypto, &params, use](EVP_PKEY_CTX* context) {
    return start(context, use, RSA_PKCS1_PSS_PADDING) &&
           EVP_PKEY_CTX_set_signature_md(context, crypto.md(params.hash)) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, crypto.md(params.mgf)) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, static_cast<int>(params.salt)) == 1;
  });
}

Outcome<void> sign_bytes(const RsaSigner& rsa, core::ByteView data,
                         core::MutableByteView signature) {
  std::size_t size = signature.size();
  if (EVP_PKEY_sign(rsa.context.get(), signature.data(), &size, data.data(), data.size()) != 1 ||
      size != signature.size()) {
    return crypto_failed("RSA signature");
  }
  return {};
}

Outcome<void> verify_bytes(const RsaSigner& rsa, core::ByteView data, core::ByteView signature) {
  if (signature.size() != rsa.size) {
    return fault(CKR_SIGNATURE_LEN_RANGE, "not the length of a signature");
  }
  if (EVP_PKEY_verify(rsa.context.get(), signature.data(), signature.size(), data.data(),
                      data.size()) != 1) {
    forget_errors();
    return fault(CKR_SIGNATURE_INVALID, "the signature does not verify");
  }
  return {};
}

// What the caller hands over to be signed as it is.
struct DataRule {
  std::size_t shortest;
  std::size_t longest;
  std::size_t padded;  // zeros go before it up to this length
};

class DataCheck {
 public:
  DataCheck(ObjectPtr key, const DataRule& rule) : key_(std::move(key)), rule_(rule) {}
  Outcome<core::ByteView> take(core::ByteView data) {
    if (data.size() < rule_.shortest || data.size() > rule_.longest) {
      return fault(CKR_DATA_LEN_RANGE, "not a length that the mechanism signs");
    }
    if (rule_.padded == 0) return data;
    padded_.assign(rule_.padded, 0);
    std::ranges::copy(data, padded_.end() - static_cast<std::ptrdiff_t>(data.size()));
    if (!below_modulus(*key_, padded_)) {
      return fault(CKR_DATA_INVALID, "a number beyond the modulus");
    }
    return core::ByteView(padded_);
  }

 private:
  ObjectPtr key_;
  DataRule rule_;
  core::Bytes padded_;
};

class DataSign final : public SignOperation {
 public:
  DataSign(RsaSigner rsa, const DataRule& rule) : rsa_(std::move(rsa)), check_(rsa_.key, rule) {}
  std::size_t size() const override { return rsa_.size; }
  Outcome<void> once(core::ByteView data, core::MutableByteView signature) override {
    auto taken = check_.take(data);
    if (!taken) return std::move(taken).error();
    return sign_bytes(rsa_, *taken, signature);
  }

 private:
  RsaSigner rsa_;
  DataCheck check_;
};

class DataVerify final : public VerifyOperation {
 public:
  DataVerify(RsaSigner rsa, const DataRule& rule) : rsa_(std::move(rsa)), check_(rsa_.key, rule) {}
  Outcome<void> once(core::ByteView data, core::ByteView signature) override {
    auto taken = check_.take(data);
    if (!taken) return std::move(taken).error();
    return verify_bytes(rsa_, *taken, signature);
  }

 private:
  RsaSigner rsa_;
  DataCheck check_;
};

class MessageSign final : public SignOperation {
 public:
  MessageSign(RsaSigner rsa, MessageHash hash) : rsa_(std::move(rsa)), hash_(std::move(hash)) {}
  std::size_t size() const override { return rsa_.size; }
  Outcome<void> update(core::ByteView data) override { return hash_.update(data); }
  Outcome<void> finish(core::MutableByteView signature) override {
    auto hash = hash_.finish();
    if (!hash) return std::move(hash).error();
    return sign_bytes(rsa_, *hash, signature);
  }

 private:
  RsaSigner rsa_;
  MessageHash hash_;
};

class MessageVerify final : public VerifyOperation {
 public:
  MessageVerify(RsaSigner rsa, MessageHash hash) : rsa_(std::move(rsa)), hash_(std::move(hash)) {}
  Outcome<void> update(core::ByteView data) override { return hash_.update(data); }
  Outcome<void> finish(core::ByteView signature) override {
    auto hash = hash_.finish();
    if (!hash) return std::move(hash).error();
    return verify_bytes(rsa_, *hash, signature);
  }

 private:
  RsaSigner rsa_;
  MessageHash hash_;
};

template <typename Base, typename Operation, typename Rest>
Outcome<std::unique_ptr<Base>> operation(Outcome<RsaSigner> rsa, Outcome<Rest> rest) {
  if (!rsa) return std::move(rsa).error();
  if (!rest) return std::move(rest).error();
  return std::unique_ptr<Base>(std::make_unique<Operation>(*std::move(rsa), *std::move(rest)));
}

template <typename Base, typename Operation>
Outcome<std::unique_ptr<Base>> make_pkcs1(const OperationInput& input) {
  const auto size = rsa_size(*input.key);
  const Outcome<DataRule> rule = DataRule{1, size - kPkcs1Overhead, 0};
  return operation<Base, Operation>(pkcs1_signer(input, kUseOf<Base>, std::nullopt), rule);
}

template <typename Base, typename Operation, core::Hash kHash>
Outcome<std::unique_ptr<Base>> make_pkcs1_message(const OperationInput& input) {
  return operation<Base, Operation>(pkcs1_signer(input, kUseOf<Base>, kHash),
                                    MessageHash::create(input.context.crypto, kHash));
}

template <typename Base, typename Operation>
Outcome<std::unique_ptr<Base>> make_pss(const OperationInput& input) {
  auto params = pss_params(input, std::nullopt);
  if (!params) return std::move(params).error();
  const auto size = core::hash_size(params->hash);
  const Outcome<DataRule> rule = DataRule{size, size, 0};
  return operation<Base, Operation>(pss_signer(input, kUseOf<Base>, *params), rule);
}

template <typename Base, typename Operation, core::Hash kHash>
Outcome<std::unique_ptr<Base>> make_pss_message(const OperationInput& input) {
  auto params = pss_params(input, kHash);
  if (!params) return std::move(params).error();
  return operation<Base, Operation>(pss_signer(input, kUseOf<Base>, *params),
                                    MessageHash::create(input.context.crypto, kHash));
}

// A number of the modulus's length, signed as it is.
template <typename Base, typename Operation>
Outcome<std::unique_ptr<Base>> make_raw(const OperationInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  constexpr auto kUse = kUseOf<Base>;
  const auto size = rsa_size(*input.key);
  const Outcome<DataRule> rule = DataRule{1, size, size};
  return operation<Base, Operation>(
      signer(input, kUse, CKM_RSA_X_509,
             [](EVP_PKEY_CTX* context) { return start(context, kUse, RSA_NO_PADDING); }),
      rule);
}

template <core::Hash kHash>
void add_for_message(MechanismTable& table) {
  auto pkcs1 = rsa_mechanism(numbers_of(kHash).rsa_pkcs);
  pkcs1.sign = &make_pkcs1_message<SignOperation, MessageSign, kHash>;
  pkcs1.verify = &make_pkcs1_message<VerifyOperation, MessageVerify, kHash>;
  table.add(std::move(pkcs1));

  auto pss = rsa_mechanism(numbers_of(kHash).rsa_pss);
  pss.sign = &make_pss_message<SignOperation, MessageSign, kHash>;
  pss.verify = &make_pss_message<VerifyOperation, MessageVerify, kHash>;
  table.add(std::move(pss));
}

}  // namespace

void add_pkcs1_signing(Mechanism& mechanism) {
  mechanism.sign = &make_pkcs1<SignOperation, DataSign>;
  mechanism.verify = &make_pkcs1<VerifyOperation, DataVerify>;
}

void add_raw_signing(Mechanism& mechanism) {
  mechanism.sign = &make_raw<SignOperation, DataSign>;
  mechanism.verify = &make_raw<VerifyOperation, DataVerify>;
}

void register_rsa_hash_signatures(MechanismTable& table) {
  auto pss = rsa_mechanism(CKM_RSA_PKCS_PSS);
  pss.sign = &make_pss<SignOperation, DataSign>;
  pss.verify = &make_pss<VerifyOperation, DataVerify>;
  table.add(std::move(pss));
  for_each_hash([&table]<core::Hash kHash>() { add_for_message<kHash>(table); });
}

}  // namespace tallystick::token
