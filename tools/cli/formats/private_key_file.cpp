#include "tools/cli/formats/private_key_file.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>

#include "core/crypto/curve_oids.h"
#include "tools/cli/file_io.h"
#include "tools/cli/pkcs11/ec_keys.h"

namespace tallystick::cli {
namespace {

// Encrypted files are not asked for a password.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return -1; }

Outcome<core::PkeyPtr> read_key(const core::Crypto& crypto, const std::string& path) {
  auto bytes = read_secret_file(path);
  if (!bytes) return std::move(bytes).error();
  const auto view = bytes->view();
  const core::BioPtr bio(BIO_new_mem_buf(view.data(), static_cast<int>(view.size())));
  core::PkeyPtr key(
      PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, no_password, nullptr, crypto.lib(), nullptr));
  if (!key) {
    const std::uint8_t* at = view.data();
    key.reset(
        d2i_AutoPrivateKey_ex(nullptr, &at, static_cast<long>(view.size()), crypto.lib(), nullptr));
  }
  if (!key) {
    static_cast<void>(core::crypto_error(""));
    return file_failure(path, "not a private key in PEM or DER",
                        "an encrypted one has to be opened first");
  }
  return key;
}

Outcome<core::Secret> number_of(const std::string& path, const core::PkeyPtr& key, const char* name,
                                std::size_t size = 0) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), name, &raw) != 1) {
    return file_failure(path, "the private key lacks a component");
  }
  const core::BnPtr number(raw);
  core::Secret out(size != 0 ? size : static_cast<std::size_t>(BN_num_bytes(raw)));
  if (BN_bn2binpad(raw, out.span().data(), static_cast<int>(out.size())) < 0) {
    return file_failure(path, "the private key is out of range");
  }
  return out;
}

std::optional<core::Curve> curve_of(const core::PkeyPtr& key) {
  std::array<char, 64> name{};
  if (EVP_PKEY_get_group_name(key.get(), name.data(), name.size(), nullptr) != 1) {
    return std::nullopt;
  }
  const std::string_view group(name.data());
  if (group == "prime256v1") return core::Curve::kP256;
  if (group == "secp384r1") return core::Curve::kP384;
  return std::nullopt;
}

Outcome<core::EcPrivateKey> ec_key(const core::Crypto& crypto, const std::string& path,
                                   const core::PkeyPtr& key) {
  const auto curve = curve_of(key);
  if (!curve) return file_failure(path, "the key is on a curve other than P-256 and P-384");
  auto scalar = number_of(path, key, OSSL_PKEY_PARAM_PRIV_KEY, core::field_size(*curve));
  if (!scalar) return std::move(scalar).error();
  auto parsed = core::EcPrivateKey::from_scalar(crypto, *curve, scalar->view());
  if (!parsed) return from_core(path, parsed.error());
  return *std::move(parsed);
}

Outcome<core::Secret> encoded(const std::string& path, const core::PkeyPtr& key) {
  const core::Pkcs8Ptr info(EVP_PKEY2PKCS8(key.get()));
  unsigned char* der = nullptr;
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der) : 0;
  if (size <= 0) return file_failure(path, "the private key cannot be written as PKCS#8");
  core::Secret out = core::Secret::copy_of({der, static_cast<std::size_t>(size)});
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return out;
}

Template private_object(CK_KEY_TYPE type) {
  Template object;
  object.number(CKA_CLASS, CKO_PRIVATE_KEY)
      .number(CKA_KEY_TYPE, type)
      .flag(CKA_TOKEN, false)
      .flag(CKA_PRIVATE, true)
      .flag(CKA_SENSITIVE, true)
      .flag(CKA_EXTRACTABLE, true);
  return object;
}

Done add_rsa(const std::string& path, const core::PkeyPtr& key, Template& object) {
  struct Component {
    CK_ATTRIBUTE_TYPE type;
    const char* name;
  };
  constexpr std::array<Component, 8> kComponents = {
      {{CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
       {CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
       {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
       {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
       {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
       {CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
       {CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
       {CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1}}};
  for (const Component& component : kComponents) {
    auto value = number_of(path, key, component.name);
    if (!value) return std::move(value).error();
    object.bytes(component.type, value->view());
  }
  return {};
}

}  // namespace

Outcome<core::Secret> private_key_as_pkcs8(const core::Crypto& crypto, const std::string& path) {
  auto key = read_key(crypto, path);
  if (!key) return std::move(key).error();
  if (EVP_PKEY_is_a(key->get(), "EC") != 1) return encoded(path, *key);
  auto parsed = ec_key(crypto, path, *key);
  if (!parsed) return std::move(parsed).error();
  auto der = parsed->pkcs8();
  if (!der) return from_core(path, der.error());
  return *std::move(der);
}

Outcome<Handle> import_private_key(const core::Crypto& crypto, Session& session,
                                   const std::string& path) {
  auto key = read_key(crypto, path);
  if (!key) return std::move(key).error();
  const std::string what = "import of " + path;
  if (EVP_PKEY_is_a(key->get(), "EC") == 1) {
    auto parsed = ec_key(crypto, path, *key);
    if (!parsed) return std::move(parsed).error();
    const auto scalar = parsed->scalar();
    if (!scalar) return from_core(path, scalar.error());
    Template object = private_object(CKK_EC);
    object.bytes(CKA_EC_PARAMS, core::curve_oid(parsed->curve())).bytes(CKA_VALUE, scalar->view());
    return session.create(what, object);
  }
  if (EVP_PKEY_is_a(key->get(), "ED25519") == 1) {
    core::Secret raw(32);
    std::size_t size = raw.size();
    if (EVP_PKEY_get_raw_private_key(key->get(), raw.span().data(), &size) != 1 || size != 32) {
      return file_failure(path, "the private key cannot be read");
    }
    Template object = private_object(CKK_EC_EDWARDS);
    object.bytes(CKA_EC_PARAMS, core::kEd25519Oid).bytes(CKA_VALUE, raw.view());
    return session.create(what, object);
  }
  if (EVP_PKEY_is_a(key->get(), "RSA") == 1) {
    Template object = private_object(CKK_RSA);
    if (auto done = add_rsa(path, *key, object); !done) return std::move(done).error();
    return session.create(what, object);
  }
  return file_failure(path, "a private key of this type cannot go into a package",
                      "EC (P-256, P-384), Ed25519 and RSA can");
}

Outcome<Handle> import_secret(Session& session, const std::string& path) {
  auto bytes = read_secret_file(path, kMostSecretBytes);
  if (!bytes) return std::move(bytes).error();
  if (bytes->empty()) return file_failure(path, "it is empty");
  Template object;
  object.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
      .flag(CKA_TOKEN, false)
      .flag(CKA_PRIVATE, true)
      .flag(CKA_SENSITIVE, true)
      .flag(CKA_EXTRACTABLE, true)
      .bytes(CKA_VALUE, bytes->view());
  return session.create("import of " + path, object);
}

}  // namespace tallystick::cli
