// EC key pairs and ECDSA.
#include "pkcs11/engine/keys/ec_key.h"
#include "pkcs11/engine/mechanisms/hash_numbers.h"
#include "pkcs11/engine/mechanisms/message_hash.h"
#include "pkcs11/engine/mechanisms/ready_key.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kLargestDer = 160;
constexpr std::size_t kLargestHashInput = 512;

// The key of an operation and what is known of it.
struct Ecdsa {
  ObjectPtr key;
  core::PkeyCtxPtr context;
  const EcCurve* curve;
};

Outcome<Ecdsa> prepare(const OperationInput& input, Object::Prepared use) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto curve = find_curve(input.key->attributes().bytes(CKA_EC_PARAMS));
  if (!curve) return std::move(curve).error();
  const auto init = use == Object::Prepared::kSign ? EVP_PKEY_sign_init : EVP_PKEY_verify_init;
  auto context = ready_context(input.context, *input.key, use, CKM_ECDSA, "ECDSA",
                               [init](EVP_PKEY_CTX* made) { return init(made) == 1; });
  if (!context) return std::move(context).error();
  return Ecdsa{input.key, *std::move(context), *curve};
}

// r ‖ s, each as long as the order (PKCS#11 section 2.3.1), of the DER that libcrypto gives.
Outcome<void> sign_hash(const Ecdsa& ecdsa, core::ByteView hash, core::MutableByteView signature) {
  if (hash.empty() || hash.size() > kLargestHashInput) {
    return fault(CKR_DATA_LEN_RANGE, "not the length of a hash");
  }
  std::array<std::uint8_t, kLargestDer> der{};
  std::size_t size = der.size();
  if (EVP_PKEY_sign(ecdsa.context.get(), der.data(), &size, hash.data(), hash.size()) != 1) {
    return crypto_failed("ECDSA");
  }
  const auto* cursor = der.data();
  const core::EcdsaSigPtr parsed(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size)));
  const auto half = static_cast<int>(ecdsa.curve->order_size);
  if (!parsed || BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), signature.data(), half) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), signature.data() + half, half) < 0) {
    return crypto_failed("ECDSA");
  }
  return {};
}

Outcome<void> verify_hash(const Ecdsa& ecdsa, core::ByteView hash, core::ByteView signature) {
  const auto half = ecdsa.curve->order_size;
  if (signature.size() != 2 * half) {
    return fault(CKR_SIGNATURE_LEN_RANGE, "not the length of a signature");
  }
  if (hash.empty() || hash.size() > kLargestHashInput) {
    return fault(CKR_DATA_LEN_RANGE, "not the length of a hash");
  }
  const core::EcdsaSigPtr parsed(ECDSA_SIG_new());
  core::BnPtr r(BN_bin2bn(signature.data(), static_cast<int>(half), nullptr));
  core::BnPtr s(BN_bin2bn(signature.data() + half, static_cast<int>(half), nullptr));
  if (!parsed || !r || !s || ECDSA_SIG_set0(parsed.get(), r.get(), s.get()) != 1) {
    return crypto_failed("ECDSA");
  }
  (void)r.release();
  (void)s.release();
  std::array<std::uint8_t, kLargestDer> der{};
  auto* cursor = der.data();
  const int size = i2d_ECDSA_SIG(parsed.get(), &cursor);
  if (size <= 0) return crypto_failed("ECDSA");
  if (EVP_PKEY_verify(ecdsa.context.get(), der.data(), static_cast<std::size_t>(size), hash.data(),
                      hash.size()) != 1) {
    forget_errors();
    return fault(CKR_SIGNATURE_INVALID, "the signature does not verify");
  }
  return {};
}

class HashSign final : public SignOperation {
 public:
  explicit HashSign(Ecdsa ecdsa) : ecdsa_(std::move(ecdsa)) {}
  std::size_t size() const override { return 2 * ecdsa_.curve->order_size; }
  Outcome<void> once(core::ByteView hash, core::MutableByteView signature) override {
    return sign_hash(ecdsa_, hash, signature);
  }

 private:
  Ecdsa ecdsa_;
};

class HashVerify final : public VerifyOperation {
 public:
  explicit HashVerify(Ecdsa ecdsa) : ecdsa_(std::move(ecdsa)) {}
  Outcome<void> once(core::ByteView hash, core::ByteView signature) override {
    return verify_hash(ecdsa_, hash, signature);
  }

 private:
  Ecdsa ecdsa_;
};

// The device key signs what its holder says, but nothing that the provisioning software says with
// it: all of that begins with "TS". Refused in one piece and in parts alike.
class DeviceGuard {
 public:
  explicit DeviceGuard(const Object& key) : on_(key.attributes().has(CKA_TS_DEVICE_ID)) {}
  Outcome<void> see(core::ByteView data) {
    if (!on_) return {};
    for (std::size_t i = 0; i < data.size() && seen_ < kPrefix.size(); ++i) {
      start_[seen_++] = data[i];
    }
    if (seen_ == kPrefix.size() && core::text_of(start_) == kPrefix) {
      return fault(CKR_DATA_INVALID, "the device key does not sign messages that begin with TS");
    }
    return {};
  }

 private:
  static constexpr std::string_view kPrefix = "TS";
  bool on_;
  std::size_t seen_ = 0;
  core::ByteArray<2> start_{};
};

class MessageSign final : public SignOperation {
 public:
  MessageSign(Ecdsa ecdsa, MessageHash hash)
      : guard_(*ecdsa.key), ecdsa_(std::move(ecdsa)), hash_(std::move(hash)) {}
  std::size_t size() const override { return 2 * ecdsa_.curve->order_size; }
  Outcome<void> update(core::ByteView data) override {
    if (auto good = guard_.see(data); !good) return good;
    return hash_.update(data);
  }
  Outcome<void> finish(core::MutableByteView signature) override {
    auto hash = hash_.finish();
    if (!hash) return std::move(hash).error();
    return sign_hash(ecdsa_, *hash, signature);
  }

 private:
  DeviceGuard guard_;
  Ecdsa ecdsa_;
  MessageHash hash_;
};

class MessageVerify final : public VerifyOperation {
 public:
  MessageVerify(Ecdsa ecdsa, MessageHash hash) : ecdsa_(std::move(ecdsa)), hash_(std::move(hash)) {}
  Outcome<void> update(core::ByteView data) override { return hash_.update(data); }
  Outcome<void> finish(core::ByteView signature) override {
    auto hash = hash_.finish();
    if (!hash) return std::move(hash).error();
    return verify_hash(ecdsa_, *hash, signature);
  }

 private:
  Ecdsa ecdsa_;
  MessageHash hash_;
};

template <typename Base, typename Operation>
Outcome<std::unique_ptr<Base>> make_for_hash(const OperationInput& input) {
  auto ecdsa = prepare(input, kUseOf<Base>);
  if (!ecdsa) return std::move(ecdsa).error();
  return std::unique_ptr<Base>(std::make_unique<Operation>(*std::move(ecdsa)));
}

template <typename Base, typename Operation, core::Hash kHash>
Outcome<std::unique_ptr<Base>> make_for_message(const OperationInput& input) {
  auto ecdsa = prepare(input, kUseOf<Base>);
  if (!ecdsa) return std::move(ecdsa).error();
  auto hash = MessageHash::create(input.context.crypto, kHash);
  if (!hash) return std::move(hash).error();
  return std::unique_ptr<Base>(std::make_unique<Operation>(*std::move(ecdsa), *std::move(hash)));
}

Outcome<ProducedPair> generate_pair(const GeneratePairInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  // Some callers put the curve into the private half's template.
  auto params = input.wanted_public.find(CKA_EC_PARAMS);
  if (!params) params = input.wanted_private.find(CKA_EC_PARAMS);
  if (!params) return incomplete_template("CKA_EC_PARAMS is missing");
  auto curve = find_curve(*params);
  if (!curve) return std::move(curve).error();
  auto key = generate_ec_key(input.context.crypto, **curve);
  if (!key) return std::move(key).error();
  return ec_pair_drafts(*key);
}

Mechanism ec_mechanism(CK_MECHANISM_TYPE type) {
  Mechanism mechanism;
  mechanism.type = type;
  mechanism.min_key_size = 256;
  mechanism.max_key_size = 521;
  mechanism.extra_flags = CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS;
  mechanism.key_types = {CKK_EC};
  return mechanism;
}

template <core::Hash kHash>
void add_for_message(MechanismTable& table) {
  auto mechanism = ec_mechanism(numbers_of(kHash).ecdsa);
  // What the device key and keys from packages sign with.
  mechanism.for_managed = kHash == core::Hash::kSha256 || kHash == core::Hash::kSha384;
  mechanism.sign = &make_for_message<SignOperation, MessageSign, kHash>;
  mechanism.verify = &make_for_message<VerifyOperation, MessageVerify, kHash>;
  table.add(std::move(mechanism));
}

}  // namespace

void register_ec(MechanismTable& table) {
  auto pair = ec_mechanism(CKM_EC_KEY_PAIR_GEN);
  pair.generate_pair = &generate_pair;
  table.add(std::move(pair));

  auto raw = ec_mechanism(CKM_ECDSA);
  raw.sign = &make_for_hash<SignOperation, HashSign>;
  raw.verify = &make_for_hash<VerifyOperation, HashVerify>;
  table.add(std::move(raw));

  for_each_hash([&table]<core::Hash kHash>() { add_for_message<kHash>(table); });
}

}  // namespace tallystick::token
