#include "pkcs11/engine/keys/wrapped_key.h"

#include "core/crypto/pkcs8.h"
#include "pkcs11/engine/importer.h"
#include "pkcs11/engine/keys/key_pair.h"
#include "pkcs11/engine/keys/rsa_key.h"

namespace tallystick::token {
namespace {

Fault invalid() { return fault(CKR_WRAPPED_KEY_INVALID, "not the wrapping of such a key"); }

Outcome<core::Secret> pkcs8_of(const core::Crypto& crypto, const Object& key) {
  auto pkey = key.pkey(crypto);
  if (!pkey) return std::move(pkey).error();
  auto der = core::pkcs8_der(*pkey);
  if (!der) return crypto_failed("PKCS#8");
  return *std::move(der);
}

bool is_whole(const core::Crypto& crypto, EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) return is_whole_rsa_key(crypto, key);
  const core::PkeyCtxPtr check(EVP_PKEY_CTX_new_from_pkey(crypto.lib(), key, nullptr));
  return check && EVP_PKEY_check(check.get()) == 1;
}

Outcome<Draft> private_from_pkcs8(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                  core::ByteView encoded) {
  auto key = core::parse_pkcs8(crypto, encoded);
  if (!key) return invalid();
  if (!is_whole(crypto, key->get())) {
    forget_errors();
    return invalid();
  }
  auto draft = private_key_draft(key_type, share(*std::move(key)));
  if (!draft) return invalid();
  return draft;
}

}  // namespace

Outcome<core::Secret> key_encoding(const core::Crypto& crypto, const Object& key) {
  if (key.object_class() == CKO_SECRET_KEY) return core::Secret::copy_of(key.value());
  return pkcs8_of(crypto, key);
}

Outcome<std::size_t> key_encoding_size(const core::Crypto& crypto, const Object& key) {
  if (key.object_class() == CKO_SECRET_KEY) return key.value().size();
  auto der = pkcs8_of(crypto, key);
  if (!der) return std::move(der).error();
  return der->size();
}

Outcome<Draft> key_from_encoding(const core::Crypto& crypto, const Template& wanted,
                                 core::ByteView encoded) {
  auto object_class = wanted.required_number(CKA_CLASS);
  if (!object_class) return std::move(object_class).error();
  auto key_type = wanted.required_number(CKA_KEY_TYPE);
  if (!key_type) return std::move(key_type).error();
  if (*object_class == CKO_PRIVATE_KEY) return private_from_pkcs8(crypto, *key_type, encoded);
  if (*object_class != CKO_SECRET_KEY) return bad_template("only keys are unwrapped");
  if (auto good = check_secret_length(*key_type, encoded.size()); !good) {
    return good.error().rv == CKR_KEY_SIZE_RANGE ? invalid() : std::move(good).error();
  }
  Draft draft;
  draft.attributes.set_number(CKA_CLASS, CKO_SECRET_KEY).set_number(CKA_KEY_TYPE, *key_type);
  draft.value = share(core::Secret::copy_of(encoded));
  return draft;
}

}  // namespace tallystick::token
