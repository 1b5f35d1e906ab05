// ML-KEM: key pairs, encapsulation and decapsulation (FIPS 203).
#include "pkcs11/engine/importer.h"
#include "pkcs11/engine/keys/pq_key.h"
#include "pkcs11/engine/mechanisms/pq_pair.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kSharedSize = 32;

// What is agreed on is a secret key, of a type that takes the length it has.
Outcome<CK_KEY_TYPE> wanted_type(const Template& wanted) {
  auto object_class = wanted.number(CKA_CLASS);
  if (!object_class) return std::move(object_class).error();
  if (object_class->value_or(CKO_SECRET_KEY) != CKO_SECRET_KEY) {
    return bad_template("a secret key comes of an encapsulation");
  }
  auto type = wanted.number(CKA_KEY_TYPE);
  if (!type) return std::move(type).error();
  const auto key_type = type->value_or(CKK_GENERIC_SECRET);
  if (auto good = check_secret_length(key_type, kSharedSize); !good) return good.error();
  return key_type;
}

Produced shared_key(CK_KEY_TYPE key_type, core::Secret value) {
  Produced produced;
  produced.object.attributes.set_number(CKA_CLASS, CKO_SECRET_KEY)
      .set_number(CKA_KEY_TYPE, key_type);
  produced.object.value = share(std::move(value));
  return produced;
}

Outcome<core::PkeyCtxPtr> context_of(const Context& context, const Object& key,
                                     int (*init)(EVP_PKEY_CTX*, const OSSL_PARAM*)) {
  auto pkey = key.pkey(context.crypto);
  if (!pkey) return std::move(pkey).error();
  core::PkeyCtxPtr made(EVP_PKEY_CTX_new_from_pkey(context.crypto.lib(), *pkey, nullptr));
  if (!made || init(made.get(), nullptr) != 1) return crypto_failed("ML-KEM");
  return made;
}

Outcome<std::size_t> ciphertext_size(const DeriveInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  if (auto type = wanted_type(input.wanted); !type) return std::move(type).error();
  auto set = parameter_set_of(input.base_key->attributes());
  if (!set) return std::move(set).error();
  return (*set)->result_size;
}

Outcome<Encapsulated> encapsulate(const DeriveInput& input) {
  auto size = ciphertext_size(input);
  if (!size) return std::move(size).error();
  auto type = wanted_type(input.wanted);
  if (!type) return std::move(type).error();
  auto context = context_of(input.context, *input.base_key, EVP_PKEY_encapsulate_init);
  if (!context) return std::move(context).error();
  core::Bytes ciphertext(*size);
  core::Secret shared(kSharedSize);
  std::size_t ciphertext_size = ciphertext.size();
  std::size_t shared_size = shared.size();
  if (EVP_PKEY_encapsulate(context->get(), ciphertext.data(), &ciphertext_size,
                           shared.span().data(), &shared_size) != 1 ||
      ciphertext_size != ciphertext.size() || shared_size != shared.size()) {
    return crypto_failed("ML-KEM");
  }
  return Encapsulated{std::move(ciphertext), shared_key(*type, std::move(shared))};
}

// A ciphertext that was made for another key or altered gives another secret and no error, so that
// nobody learns from the answer (FIPS 203, implicit rejection).
Outcome<Produced> decapsulate(const UnwrapInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto type = wanted_type(input.wanted);
  if (!type) return std::move(type).error();
  auto set = parameter_set_of(input.unwrapping_key->attributes());
  if (!set) return std::move(set).error();
  if (input.blob.size() != (*set)->result_size) {
    return fault(CKR_WRAPPED_KEY_LEN_RANGE, "not the length of a ciphertext");
  }
  auto context = context_of(input.context, *input.unwrapping_key, EVP_PKEY_decapsulate_init);
  if (!context) return std::move(context).error();
  core::Secret shared(kSharedSize);
  std::size_t shared_size = shared.size();
  if (EVP_PKEY_decapsulate(context->get(), shared.span().data(), &shared_size, input.blob.data(),
                           input.blob.size()) != 1 ||
      shared_size != shared.size()) {
    return crypto_failed("ML-KEM");
  }
  return shared_key(*type, std::move(shared));
}

}  // namespace

void register_ml_kem(MechanismTable& table, const core::Crypto& crypto) {
  if (!offers_type(crypto, CKK_ML_KEM)) return;
  table.add(pq_pair_mechanism(CKM_ML_KEM_KEY_PAIR_GEN, CKK_ML_KEM));
  auto kem = pq_mechanism(CKM_ML_KEM, CKK_ML_KEM);
  kem.ciphertext_size = &ciphertext_size;
  kem.encapsulate = &encapsulate;
  kem.decapsulate = &decapsulate;
  table.add(std::move(kem));
}

}  // namespace tallystick::token
