#include "pkcs11/engine/importer.h"

#include <algorithm>

#include "pkcs11/engine/keys/certificate.h"
#include "pkcs11/engine/keys/key_pair.h"
#include "pkcs11/engine/token.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kLargestSecret = 4096;
constexpr CK_KEY_TYPE kSecretTypes[] = {CKK_AES,
                                        CKK_GENERIC_SECRET,
                                        CKK_HKDF,
                                        CKK_SHA_1_HMAC,
                                        CKK_SHA224_HMAC,
                                        CKK_SHA256_HMAC,
                                        CKK_SHA384_HMAC,
                                        CKK_SHA512_HMAC,
                                        CKK_SHA512_224_HMAC,
                                        CKK_SHA512_256_HMAC,
                                        CKK_SHA3_224_HMAC,
                                        CKK_SHA3_256_HMAC,
                                        CKK_SHA3_384_HMAC,
                                        CKK_SHA3_512_HMAC};

Outcome<Draft> import_data() {
  Draft draft;
  draft.attributes.set_number(CKA_CLASS, CKO_DATA);
  return draft;
}

Outcome<Draft> import_secret(CK_KEY_TYPE key_type, const Template& wanted) {
  const auto value = wanted.find(CKA_VALUE);
  if (!value) return incomplete_template("CKA_VALUE is missing");
  if (auto good = check_secret_length(key_type, value->size()); !good) {
    return good.error().rv == CKR_KEY_SIZE_RANGE ? bad_value(good.error().message)
                                                 : std::move(good).error();
  }
  Draft draft;
  draft.attributes.set_number(CKA_CLASS, CKO_SECRET_KEY).set_number(CKA_KEY_TYPE, key_type);
  draft.value = share(core::Secret::copy_of(*value));
  return draft;
}

Outcome<Draft> import_ordinary(const core::Crypto& crypto, CK_OBJECT_CLASS object_class,
                               const Template& wanted) {
  if (object_class == CKO_DATA) return import_data();
  if (object_class == CKO_CERTIFICATE) return import_certificate(crypto, wanted);
  if (object_class != CKO_PUBLIC_KEY && object_class != CKO_PRIVATE_KEY &&
      object_class != CKO_SECRET_KEY) {
    return bad_value("objects of this class are not made");
  }
  auto key_type = wanted.required_number(CKA_KEY_TYPE);
  if (!key_type) return std::move(key_type).error();
  if (object_class == CKO_SECRET_KEY) return import_secret(*key_type, wanted);
  return object_class == CKO_PUBLIC_KEY ? import_public_key(crypto, *key_type, wanted)
                                        : import_private_key(crypto, *key_type, wanted);
}

}  // namespace

Outcome<void> check_secret_length(CK_KEY_TYPE key_type, std::size_t length) {
  if (std::ranges::find(kSecretTypes, key_type) == std::end(kSecretTypes)) {
    return bad_value("secret keys of this type are not offered");
  }
  const bool good = key_type == CKK_AES ? length == 16 || length == 24 || length == 32
                                        : length >= 1 && length <= kLargestSecret;
  if (!good) return fault(CKR_KEY_SIZE_RANGE, "a key of this length is not offered");
  return {};
}

Outcome<Produced> import_object(const MechanismTable& table, const CreateInput& input) {
  auto object_class = input.wanted.required_number(CKA_CLASS);
  if (!object_class) return std::move(object_class).error();
  auto key_type = input.wanted.number(CKA_KEY_TYPE);
  if (!key_type) return std::move(key_type).error();
  const auto* const creator =
      table.find_creator(*object_class, key_type->value_or(CK_UNAVAILABLE_INFORMATION));
  if (creator != nullptr) return creator->create(input);
  auto draft = import_ordinary(input.context.crypto, *object_class, input.wanted);
  if (!draft) return std::move(draft).error();
  return Produced{*std::move(draft), {}, nullptr};
}

}  // namespace tallystick::token
