// ML-DSA, HashML-DSA (FIPS 204) and SLH-DSA (FIPS 205).
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>

#include "pkcs11/engine/keys/der.h"
#include "pkcs11/engine/keys/pq_key.h"
#include "pkcs11/engine/mechanisms/hash_numbers.h"
#include "pkcs11/engine/mechanisms/held_message.h"
#include "pkcs11/engine/mechanisms/message_hash.h"
#include "pkcs11/engine/mechanisms/pq_pair.h"
#include "pkcs11/engine/mechanisms/ready_key.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kLongestContext = 255;

// ---- Parameters ----

struct Options {
  CK_HEDGE_TYPE hedge = CKH_HEDGE_PREFERRED;
  core::Bytes context;
  std::optional<core::Hash> hash;  // that the caller says the data are of
};

template <typename Block>
Outcome<Options> options_of(const Block& block) {
  auto context = copy_memory(block.pContext, block.ulContextLen, kLongestContext);
  if (!context) return std::move(context).error();
  return Options{block.hedgeVariant, *std::move(context), std::nullopt};
}

Outcome<Options> optional_context(const Parameter& parameter) {
  if (parameter.bytes().empty()) return Options{};
  auto block = parameter.as<CK_SIGN_ADDITIONAL_CONTEXT>();
  if (!block) return std::move(block).error();
  return options_of(*block);
}

Outcome<Options> context_and_hash(const Parameter& parameter) {
  auto block = parameter.as<CK_HASH_SIGN_ADDITIONAL_CONTEXT>();
  if (!block) return std::move(block).error();
  auto options = options_of(*block);
  if (!options) return options;
  options->hash = signature_hash(block->hash);
  if (!options->hash || numbers_of(*options->hash).hash_ml_dsa == CK_UNAVAILABLE_INFORMATION) {
    return bad_parameter("a hash that is not offered");
  }
  return options;
}

// ---- What is signed ----

class Message {
 public:
  Message() = default;
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  virtual ~Message() = default;
  // What libcrypto signs of a message in one piece; the view lives as long as this and `data`.
  virtual Outcome<core::ByteView> once(core::ByteView data) = 0;
  virtual Outcome<void> add(core::ByteView data) = 0;
  virtual Outcome<core::ByteView> whole() = 0;
};

// The message as it is.
class PlainMessage final : public Message {
 public:
  Outcome<core::ByteView> once(core::ByteView data) override { return data; }
  Outcome<void> add(core::ByteView data) override { return held_.add(data); }
  Outcome<core::ByteView> whole() override { return held_.view(); }

 private:
  HeldMessage held_;
};

// FIPS 204, section 5.4: 1 ‖ the context's length and the context ‖ the hash's identifier ‖ hash.
core::Bytes encoded(const core::Crypto& crypto, core::Hash hash, core::ByteView context,
                    core::ByteView digest) {
  const auto identifier = object_identifier(EVP_MD_get_type(crypto.md(hash)));
  core::Bytes out;
  out.push_back(1);
  out.push_back(static_cast<std::uint8_t>(context.size()));
  for (const auto part : {context, core::ByteView(identifier), digest}) {
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

// A message that is hashed here.
class HashedMessage final : public Message {
 public:
  HashedMessage(const core::Crypto& crypto, core::Hash hash, core::Bytes context,
                MessageHash hasher)
      : crypto_(crypto), hash_(hash), context_(std::move(context)), hasher_(std::move(hasher)) {}
  Outcome<core::ByteView> once(core::ByteView data) override {
    if (auto fed = hasher_.update(data); !fed) return std::move(fed).error();
    return whole();
  }
  Outcome<void> add(core::ByteView data) override { return hasher_.update(data); }
  Outcome<core::ByteView> whole() override {
    auto digest = hasher_.finish();
    if (!digest) return digest;
    encoded_ = encoded(crypto_, hash_, context_, *digest);
    return core::ByteView(encoded_);
  }

 private:
  const core::Crypto& crypto_;
  core::Hash hash_;
  core::Bytes context_;
  MessageHash hasher_;
  core::Bytes encoded_;
};

// The hash of a message, made by the caller.
class GivenHash final : public Message {
 public:
  GivenHash(const core::Crypto& crypto, core::Hash hash, core::Bytes context)
      : crypto_(crypto), hash_(hash), context_(std::move(context)) {}
  Outcome<core::ByteView> once(core::ByteView data) override {
    if (data.size() != core::hash_size(hash_)) {
      return fault(CKR_DATA_LEN_RANGE, "not the length of the hash");
    }
    encoded_ = encoded(crypto_, hash_, context_, data);
    return core::ByteView(encoded_);
  }
  Outcome<void> add(core::ByteView) override { return one_piece(); }
  Outcome<core::ByteView> whole() override { return one_piece(); }

 private:
  static Fault one_piece() { return not_supported("the mechanism works in one piece only"); }
  const core::Crypto& crypto_;
  core::Hash hash_;
  core::Bytes context_;
  core::Bytes encoded_;
};

// ---- Signatures ----

// libcrypto's names for parameters of which the headers of 3.0 know nothing.
constexpr const char* kContextString = "context-string";
constexpr const char* kMessageEncoding = "message-encoding";
constexpr const char* kDeterministic = "deterministic";

struct Prepared {
  ObjectPtr key;
  core::MdCtxPtr context;
  std::size_t size;  // of a signature
  std::unique_ptr<Message> message;
};

// Signing refuses a hash that is weaker than the key (FIPS 204, section 5.4). A signature that
// somebody made with one is checked all the same.
bool is_strong_enough(core::Hash hash, const ParameterSet& set) {
  constexpr std::size_t kBitsOfSecurity = 8 / 2;  // of a byte, against collisions
  return core::hash_size(hash) * kBitsOfSecurity >= set.strength;
}

// `hash`: that the message is hashed with here.
Outcome<std::unique_ptr<Message>> message_of(const core::Crypto& crypto, const Options& options,
                                             std::optional<core::Hash> hash) {
  if (hash) {
    auto hasher = MessageHash::create(crypto, *hash);
    if (!hasher) return std::move(hasher).error();
    return std::unique_ptr<Message>(
        std::make_unique<HashedMessage>(crypto, *hash, options.context, *std::move(hasher)));
  }
  if (options.hash) {
    return std::unique_ptr<Message>(
        std::make_unique<GivenHash>(crypto, *options.hash, options.context));
  }
  return std::unique_ptr<Message>(std::make_unique<PlainMessage>());
}

Outcome<Prepared> prepare(const OperationInput& input, Object::Prepared use, Options options,
                          std::optional<core::Hash> hash) {
  const bool signs = use == Object::Prepared::kSign;
  const auto& crypto = input.context.crypto;
  auto set = parameter_set_of(input.key->attributes());
  if (!set) return std::move(set).error();
  if (signs && options.hedge > CKH_DETERMINISTIC_REQUIRED) {
    return bad_parameter("no such hedge variant");
  }
  const auto hashed = hash ? hash : options.hash;
  if (signs && hashed && !is_strong_enough(*hashed, **set)) {
    return fault(CKR_KEY_SIZE_RANGE, "the hash is weaker than the key");
  }
  auto pkey = input.key->pkey(crypto);
  if (!pkey) return std::move(pkey).error();
  auto message = message_of(crypto, options, hash);
  if (!message) return std::move(message).error();

  // A message with a hash in it is encoded here, and the context with it.
  int encoding = 0;
  int deterministic = options.hedge == CKH_DETERMINISTIC_REQUIRED ? 1 : 0;
  std::array<OSSL_PARAM, 3> params{OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end(),
                                   OSSL_PARAM_construct_end()};
  auto* next = params.data();
  if (hashed) {
    *next++ = OSSL_PARAM_construct_int(kMessageEncoding, &encoding);
  } else if (!options.context.empty()) {
    *next++ = OSSL_PARAM_construct_octet_string(kContextString, options.context.data(),
                                                options.context.size());
  }
  if (signs) *next = OSSL_PARAM_construct_int(kDeterministic, &deterministic);
  core::MdCtxPtr context(EVP_MD_CTX_new());
  const auto init = signs ? EVP_DigestSignInit_ex : EVP_DigestVerifyInit_ex;
  if (!context ||
      init(context.get(), nullptr, nullptr, crypto.lib(), nullptr, *pkey, params.data()) != 1) {
    return crypto_failed("signature");
  }
  return Prepared{input.key, std::move(context), (*set)->result_size, *std::move(message)};
}

class PqSign final : public SignOperation {
 public:
  explicit PqSign(Prepared prepared) : prepared_(std::move(prepared)) {}
  std::size_t size() const override { return prepared_.size; }
  Outcome<void> once(core::ByteView data, core::MutableByteView signature) override {
    return sign(prepared_.message->once(data), signature);
  }
  Outcome<void> update(core::ByteView data) override { return prepared_.message->add(data); }
  Outcome<void> finish(core::MutableByteView signature) override {
    return sign(prepared_.message->whole(), signature);
  }

 private:
  Outcome<void> sign(const Outcome<core::ByteView>& message, core::MutableByteView signature) {
    if (!message) return message.error();
    std::size_t size = signature.size();
    if (EVP_DigestSign(prepared_.context.get(), signature.data(), &size, message->data(),
                       message->size()) != 1 ||
        size != signature.size()) {
      return crypto_failed("signature");
    }
    return {};
  }
  Prepared prepared_;
};

class PqVerify final : public VerifyOperation {
 public:
  explicit PqVerify(Prepared prepared) : prepared_(std::move(prepared)) {}
  Outcome<void> once(core::ByteView data, core::ByteView signature) override {
    return verify(prepared_.message->once(data), signature);
  }
  Outcome<void> update(core::ByteView data) override { return prepared_.message->add(data); }
  Outcome<void> finish(core::ByteView signature) override {
    return verify(prepared_.message->whole(), signature);
  }

 private:
  Outcome<void> verify(const Outcome<core::ByteView>& message, core::ByteView signature) {
    if (!message) return message.error();
    if (signature.size() != prepared_.size) {
      return fault(CKR_SIGNATURE_LEN_RANGE, "not the length of a signature");
    }
    if (EVP_DigestVerify(prepared_.context.get(), signature.data(), signature.size(),
                         message->data(), message->size()) != 1) {
      forget_errors();
      return fault(CKR_SIGNATURE_INVALID, "the signature does not verify");
    }
    return {};
  }
  Prepared prepared_;
};

using ReadOptions = Outcome<Options> (*)(const Parameter&);

template <typename Base, ReadOptions kOptions, auto kHash>
Outcome<std::unique_ptr<Base>> make(const OperationInput& input) {
  using Operation = std::conditional_t<std::is_same_v<Base, SignOperation>, PqSign, PqVerify>;
  auto options = kOptions(input.parameter);
  if (!options) return std::move(options).error();
  auto prepared = prepare(input, kUseOf<Base>, *std::move(options), kHash);
  if (!prepared) return std::move(prepared).error();
  return std::unique_ptr<Base>(std::make_unique<Operation>(*std::move(prepared)));
}

void register_hashed(MechanismTable& table) {
  for_each_hash([&table]<core::Hash kHash>() {
    const auto type = numbers_of(kHash).hash_ml_dsa;
    if (type == CK_UNAVAILABLE_INFORMATION) return;
    auto mechanism = pq_mechanism(type, CKK_ML_DSA);
    constexpr int kWeakest = 32;  // bytes of hash that the smallest key wants
    if (core::hash_size(kHash) >= kWeakest) {
      mechanism.sign = &make<SignOperation, &optional_context, kHash>;
    }
    mechanism.verify = &make<VerifyOperation, &optional_context, kHash>;
    table.add(std::move(mechanism));
  });
}

void register_pure(MechanismTable& table, CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type) {
  auto mechanism = pq_mechanism(type, key_type);
  mechanism.sign = &make<SignOperation, &optional_context, std::nullopt>;
  mechanism.verify = &make<VerifyOperation, &optional_context, std::nullopt>;
  table.add(std::move(mechanism));
}

}  // namespace

void register_pq_signatures(MechanismTable& table, const core::Crypto& crypto) {
  if (offers_type(crypto, CKK_ML_DSA)) {
    table.add(pq_pair_mechanism(CKM_ML_DSA_KEY_PAIR_GEN, CKK_ML_DSA));
    register_pure(table, CKM_ML_DSA, CKK_ML_DSA);
    auto given = pq_mechanism(CKM_HASH_ML_DSA, CKK_ML_DSA);
    given.sign = &make<SignOperation, &context_and_hash, std::nullopt>;
    given.verify = &make<VerifyOperation, &context_and_hash, std::nullopt>;
    table.add(std::move(given));
    register_hashed(table);
  }
  if (offers_type(crypto, CKK_SLH_DSA)) {
    table.add(pq_pair_mechanism(CKM_SLH_DSA_KEY_PAIR_GEN, CKK_SLH_DSA));
    register_pure(table, CKM_SLH_DSA, CKK_SLH_DSA);
  }
}

}  // namespace tallystick::token
