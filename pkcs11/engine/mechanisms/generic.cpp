// Secret keys without a cipher of their own, and what all makers of secret keys have in common.
#include "core/crypto/crypto.h"
#include "pkcs11/engine/importer.h"
#include "pkcs11/engine/mechanisms/secrets.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {

Outcome<Produced> make_secret(const GenerateInput& input, CK_KEY_TYPE key_type,
                              std::size_t shortest) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto length = input.wanted.required_number(CKA_VALUE_LEN);
  if (!length) return std::move(length).error();
  if (*length < shortest) return fault(CKR_KEY_SIZE_RANGE, "a key that is too short");
  if (auto good = check_secret_length(key_type, *length); !good) return std::move(good).error();
  auto value = input.context.crypto.random_secret(*length);
  if (!value) return from_core(value.error(), CKR_FUNCTION_FAILED);
  return secret_of(key_type, *std::move(value));
}

Outcome<WantedKey> wanted_secret(const Template& wanted) {
  auto object_class = wanted.number(CKA_CLASS);
  if (!object_class) return std::move(object_class).error();
  if (object_class->value_or(CKO_SECRET_KEY) != CKO_SECRET_KEY) {
    return bad_template("a secret key comes of this mechanism");
  }
  auto type = wanted.number(CKA_KEY_TYPE);
  if (!type) return std::move(type).error();
  auto length = wanted.number(CKA_VALUE_LEN);
  if (!length) return std::move(length).error();
  const auto key_type = type->value_or(CKK_GENERIC_SECRET);
  if (!*length) return WantedKey{key_type, std::nullopt};
  if (**length < kShortestSecret) return fault(CKR_KEY_SIZE_RANGE, "a key that is too short");
  if (auto good = check_secret_length(key_type, **length); !good) return std::move(good).error();
  return WantedKey{key_type, **length};
}

Outcome<Produced> secret_of(CK_KEY_TYPE key_type, core::Secret value) {
  if (auto good = check_secret_length(key_type, value.size()); !good) {
    return std::move(good).error();
  }
  Produced produced;
  produced.object.attributes.set_number(CKA_CLASS, CKO_SECRET_KEY)
      .set_number(CKA_KEY_TYPE, key_type);
  produced.object.value = share(std::move(value));
  return produced;
}

namespace {

Outcome<Produced> generate_generic(const GenerateInput& input) {
  auto key_type = input.wanted.number(CKA_KEY_TYPE);
  if (!key_type) return std::move(key_type).error();
  const auto type = key_type->value_or(CKK_GENERIC_SECRET);
  if (type == CKK_AES) return bad_template("AES keys have a mechanism of their own");
  return make_secret(input, type, kShortestSecret);
}

}  // namespace

void register_generic_secrets(MechanismTable& table) {
  Mechanism generate;
  generate.type = CKM_GENERIC_SECRET_KEY_GEN;
  generate.min_key_size = kShortestSecret * 8;
  generate.max_key_size = 4096UL * 8;
  generate.generate = &generate_generic;
  table.add(generate);
}

}  // namespace tallystick::token
