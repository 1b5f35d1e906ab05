// Key pairs on the curves of RFC 7748 and RFC 8032, and EdDSA.
#include <openssl/objects.h>

#include "pkcs11/engine/keys/ecx_key.h"
#include "pkcs11/engine/mechanisms/held_message.h"
#include "pkcs11/engine/mechanisms/ready_key.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {
namespace {

// ---- EdDSA ----

// A context that holds the key, to be copied.
struct ReadyEddsa : Payload {
  explicit ReadyEddsa(core::MdCtxPtr of) : context(std::move(of)) {}
  const core::MdCtxPtr context;
};

struct Eddsa {
  ObjectPtr key;
  core::MdCtxPtr context;
  std::size_t size;  // of a signature
};

// Pure EdDSA without a context, all that libcrypto 3.0 has. With a parameter, Ed25519 would be
// Ed25519ctx or Ed25519ph, which sign differently even where the context is empty; Ed448 has no
// such second form.
Outcome<void> check_parameter(const Parameter& parameter, const EcxCurve& curve) {
  if (parameter.bytes().empty()) return {};
  auto params = parameter.as<CK_EDDSA_PARAMS>();
  if (!params) return std::move(params).error();
  const auto context = view_memory(params->pContextData, params->ulContextDataLen, 255);
  if (!context) return context.error();
  if (params->phFlag != CK_FALSE || !context->empty() || curve.nid != NID_ED448) {
    return bad_parameter("EdDSA with a context or a hashed message is not offered");
  }
  return {};
}

Outcome<Eddsa> prepare(const OperationInput& input, Object::Prepared use) {
  auto curve = find_ecx_curve(CKK_EC_EDWARDS, input.key->attributes().bytes(CKA_EC_PARAMS));
  if (!curve) return std::move(curve).error();
  if (auto good = check_parameter(input.parameter, **curve); !good) return std::move(good).error();
  auto pkey = input.key->pkey(input.context.crypto);
  if (!pkey) return std::move(pkey).error();
  auto ready = input.key->prepared<ReadyEddsa>(
      use, CKM_EDDSA, [&]() -> Outcome<std::shared_ptr<const ReadyEddsa>> {
        core::MdCtxPtr context(EVP_MD_CTX_new());
        const auto init =
            use == Object::Prepared::kSign ? EVP_DigestSignInit_ex : EVP_DigestVerifyInit_ex;
        if (!context || init(context.get(), nullptr, nullptr, input.context.crypto.lib(), nullptr,
                             *pkey, nullptr) != 1) {
          return crypto_failed("EdDSA");
        }
        return std::make_shared<const ReadyEddsa>(std::move(context));
      });
  if (!ready) return std::move(ready).error();
  core::MdCtxPtr context(EVP_MD_CTX_new());
  if (!context || EVP_MD_CTX_copy_ex(context.get(), (*ready)->context.get()) != 1) {
    return crypto_failed("EdDSA");
  }
  return Eddsa{input.key, std::move(context), (*curve)->signature_size};
}

class EddsaSign final : public SignOperation {
 public:
  explicit EddsaSign(Eddsa eddsa) : eddsa_(std::move(eddsa)) {}
  std::size_t size() const override { return eddsa_.size; }
  Outcome<void> once(core::ByteView data, core::MutableByteView signature) override {
    std::size_t size = signature.size();
    if (EVP_DigestSign(eddsa_.context.get(), signature.data(), &size, data.data(), data.size()) !=
            1 ||
        size != signature.size()) {
      return crypto_failed("EdDSA");
    }
    return {};
  }
  Outcome<void> update(core::ByteView data) override { return held_.add(data); }
  Outcome<void> finish(core::MutableByteView signature) override {
    return once(held_.view(), signature);
  }

 private:
  Eddsa eddsa_;
  HeldMessage held_;
};

class EddsaVerify final : public VerifyOperation {
 public:
  explicit EddsaVerify(Eddsa eddsa) : eddsa_(std::move(eddsa)) {}
  Outcome<void> once(core::ByteView data, core::ByteView signature) override {
    if (signature.size() != eddsa_.size) {
      return fault(CKR_SIGNATURE_LEN_RANGE, "not the length of a signature");
    }
    if (EVP_DigestVerify(eddsa_.context.get(), signature.data(), signature.size(), data.data(),
                         data.size()) != 1) {
      forget_errors();
      return fault(CKR_SIGNATURE_INVALID, "the signature does not verify");
    }
    return {};
  }
  Outcome<void> update(core::ByteView data) override { return held_.add(data); }
  Outcome<void> finish(core::ByteView signature) override { return once(held_.view(), signature); }

 private:
  Eddsa eddsa_;
  HeldMessage held_;
};

template <typename Base, typename Operation>
Outcome<std::unique_ptr<Base>> make_eddsa(const OperationInput& input) {
  auto eddsa = prepare(input, kUseOf<Base>);
  if (!eddsa) return std::move(eddsa).error();
  return std::unique_ptr<Base>(std::make_unique<Operation>(*std::move(eddsa)));
}

// ---- Pairs ----

template <CK_KEY_TYPE kKeyType>
Outcome<ProducedPair> generate_pair(const GeneratePairInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto params = input.wanted_public.find(CKA_EC_PARAMS);
  if (!params) params = input.wanted_private.find(CKA_EC_PARAMS);
  if (!params) return incomplete_template("CKA_EC_PARAMS is missing");
  auto curve = find_ecx_curve(kKeyType, *params);
  if (!curve) return std::move(curve).error();
  auto key = generate_ecx_key(input.context.crypto, **curve);
  if (!key) return std::move(key).error();
  return ecx_pair_drafts(kKeyType, *key);
}

Mechanism ecx_mechanism(CK_MECHANISM_TYPE type, CK_KEY_TYPE key_type) {
  Mechanism mechanism;
  mechanism.type = type;
  mechanism.min_key_size = 255;
  mechanism.max_key_size = 448;
  mechanism.extra_flags = CKF_EC_F_P | CKF_EC_OID | CKF_EC_CURVENAME | CKF_EC_COMPRESS;
  mechanism.key_types = {key_type};
  return mechanism;
}

}  // namespace

void register_edwards(MechanismTable& table) {
  auto pair = ecx_mechanism(CKM_EC_EDWARDS_KEY_PAIR_GEN, CKK_EC_EDWARDS);
  pair.generate_pair = &generate_pair<CKK_EC_EDWARDS>;
  table.add(std::move(pair));

  auto eddsa = ecx_mechanism(CKM_EDDSA, CKK_EC_EDWARDS);
  eddsa.sign = &make_eddsa<SignOperation, EddsaSign>;
  eddsa.verify = &make_eddsa<VerifyOperation, EddsaVerify>;
  table.add(std::move(eddsa));
}

void register_montgomery(MechanismTable& table) {
  auto pair = ecx_mechanism(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKK_EC_MONTGOMERY);
  pair.generate_pair = &generate_pair<CKK_EC_MONTGOMERY>;
  table.add(std::move(pair));
}

}  // namespace tallystick::token
