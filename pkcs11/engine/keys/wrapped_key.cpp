#include "pkcs11/engine/keys/wrapped_key.h"

#include <openssl/x509.h>

#include "pkcs11/engine/importer.h"
#include "pkcs11/engine/keys/key_pair.h"

namespace tallystick::token {
namespace {

Fault invalid() { return fault(CKR_WRAPPED_KEY_INVALID, "not the wrapping of such a key"); }

Outcome<core::Pkcs8Ptr> pkcs8_of(const core::Crypto& crypto, const Object& key) {
  auto pkey = key.pkey(crypto);
  if (!pkey) return std::move(pkey).error();
  core::Pkcs8Ptr info(EVP_PKEY2PKCS8(*pkey));
  if (!info) return crypto_failed("PKCS#8");
  return info;
}

Outcome<Draft> private_from_pkcs8(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                  core::ByteView encoded) {
  const auto* cursor = encoded.data();
  const core::Pkcs8Ptr info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(encoded.size())));
  if (!info || cursor != encoded.data() + encoded.size()) {
    forget_errors();
    return invalid();
  }
  core::PkeyPtr key(EVP_PKCS82PKEY_ex(info.get(), crypto.lib(), nullptr));
  const core::PkeyCtxPtr check(key ? EVP_PKEY_CTX_new_from_pkey(crypto.lib(), key.get(), nullptr)
                                   : nullptr);
  if (!check || EVP_PKEY_check(check.get()) != 1) {
    forget_errors();
    return invalid();
  }
  auto draft = private_key_draft(key_type, share(std::move(key)));
  if (!draft) return invalid();
  return draft;
}

}  // namespace

Outcome<core::Secret> key_encoding(const core::Crypto& crypto, const Object& key) {
  if (key.object_class() == CKO_SECRET_KEY) return core::Secret::copy_of(key.value());
  auto info = pkcs8_of(crypto, key);
  if (!info) return std::move(info).error();
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info->get(), nullptr);
  if (size <= 0) return crypto_failed("PKCS#8");
  core::Secret out(static_cast<std::size_t>(size));
  auto* cursor = out.span().data();
  if (i2d_PKCS8_PRIV_KEY_INFO(info->get(), &cursor) != size) return crypto_failed("PKCS#8");
  return out;
}

Outcome<std::size_t> key_encoding_size(const core::Crypto& crypto, const Object& key) {
  if (key.object_class() == CKO_SECRET_KEY) return key.value().size();
  auto info = pkcs8_of(crypto, key);
  if (!info) return std::move(info).error();
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info->get(), nullptr);
  if (size <= 0) return crypto_failed("PKCS#8");
  return static_cast<std::size_t>(size);
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
