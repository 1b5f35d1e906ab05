#include "tests/pkcs11/support/public_keys.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <map>
#include <memory>

#include "tallystick/pkcs11_v3.h"

namespace tallystick::test {
namespace {

template <typename T>
core::Bytes parameter(const T& value) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&value);
  return {bytes, bytes + sizeof value};
}

struct CurveCase {
  CK_KEY_TYPE key_type;
  CK_MECHANISM_TYPE pair;
  core::Bytes params;
};

const CurveCase& curve_case(const std::string& name) {
  static const std::map<std::string, CurveCase> kCurves = {
      {"P-256",
       {CKK_EC, CKM_EC_KEY_PAIR_GEN, {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07}}},
      {"P-384", {CKK_EC, CKM_EC_KEY_PAIR_GEN, {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22}}},
      {"P-521", {CKK_EC, CKM_EC_KEY_PAIR_GEN, {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23}}},
      {"ED25519", {CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, {0x06, 0x03, 0x2B, 0x65, 0x70}}},
      {"ED448", {CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, {0x06, 0x03, 0x2B, 0x65, 0x71}}},
      {"X25519",
       {CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, {0x06, 0x03, 0x2B, 0x65, 0x6E}}},
      {"X448",
       {CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, {0x06, 0x03, 0x2B, 0x65, 0x6F}}}};
  return kCurves.at(name);
}

std::string curve_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC") != 1) return EVP_PKEY_get0_type_name(key);
  std::array<char, 64> group{};
  std::size_t size = 0;
  need(EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1, "group");
  const std::string name(group.data());
  return name == "prime256v1" ? "P-256" : name == "secp384r1" ? "P-384" : "P-521";
}

// A context for one operation with the scheme's padding set up.
core::PkeyCtxPtr started(EVP_PKEY* key, const Scheme& scheme, int (*init)(EVP_PKEY_CTX*)) {
  core::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  need(context && init(context.get()) == 1, "init");
  if (scheme.padding == 0) return context;
  need(EVP_PKEY_CTX_set_rsa_padding(context.get(), scheme.padding) == 1, "padding");
  if (scheme.padding == RSA_PKCS1_OAEP_PADDING) {
    need(EVP_PKEY_CTX_set_rsa_oaep_md_name(context.get(), scheme.hash, nullptr) == 1, "hash");
  }
  if (scheme.mgf != nullptr) {
    need(EVP_PKEY_CTX_set_rsa_mgf1_md_name(context.get(), scheme.mgf, nullptr) == 1, "MGF");
  }
  if (!scheme.label.empty()) {
    auto* const label = OPENSSL_memdup(scheme.label.data(), scheme.label.size());
    need(EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), label,
                                          static_cast<int>(scheme.label.size())) == 1,
         "label");
  }
  return context;
}

using DigestInit = int (*)(EVP_MD_CTX*, EVP_PKEY_CTX**, const char*, OSSL_LIB_CTX*, const char*,
                           EVP_PKEY*, const OSSL_PARAM[]);

core::MdCtxPtr digest_started(EVP_PKEY* key, const Scheme& scheme, DigestInit init) {
  core::MdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* inner = nullptr;
  need(context && init(context.get(), &inner, scheme.hash, nullptr, nullptr, key, nullptr) == 1,
       "init");
  if (scheme.padding != 0) {
    need(EVP_PKEY_CTX_set_rsa_padding(inner, scheme.padding) == 1, "padding");
  }
  if (scheme.padding == RSA_PKCS1_PSS_PADDING) {
    need(EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, scheme.salt) == 1 &&
             EVP_PKEY_CTX_set_rsa_mgf1_md_name(inner, scheme.mgf, nullptr) == 1,
         "PSS");
  }
  return context;
}

core::Bytes ciphered(EVP_PKEY_CTX* context, const core::Bytes& data,
                     int (*work)(EVP_PKEY_CTX*, unsigned char*, std::size_t*, const unsigned char*,
                                 std::size_t)) {
  core::Bytes copy = data;
  std::size_t size = 0;
  need(work(context, nullptr, &size, pointer(copy), copy.size()) == 1, "size");
  core::Bytes out(size);
  need(work(context, out.data(), &size, pointer(copy), copy.size()) == 1, "cipher");
  out.resize(size);
  return out;
}

}  // namespace

void need(bool good, const char* what) {
  if (good) return;
  ERR_clear_error();
  throw std::runtime_error(std::string("libcrypto: ") + what);
}

const std::array<HashCase, 9> kHashCases = {{
    {"SHA1", CKM_SHA_1, CKG_MGF1_SHA1, CKD_SHA1_KDF, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS,
     CKM_ECDSA_SHA1, 20},
    {"SHA224", CKM_SHA224, CKG_MGF1_SHA224, CKD_SHA224_KDF, CKM_SHA224_RSA_PKCS,
     CKM_SHA224_RSA_PKCS_PSS, CKM_ECDSA_SHA224, 28},
    {"SHA256", CKM_SHA256, CKG_MGF1_SHA256, CKD_SHA256_KDF, CKM_SHA256_RSA_PKCS,
     CKM_SHA256_RSA_PKCS_PSS, CKM_ECDSA_SHA256, 32},
    {"SHA384", CKM_SHA384, CKG_MGF1_SHA384, CKD_SHA384_KDF, CKM_SHA384_RSA_PKCS,
     CKM_SHA384_RSA_PKCS_PSS, CKM_ECDSA_SHA384, 48},
    {"SHA512", CKM_SHA512, CKG_MGF1_SHA512, CKD_SHA512_KDF, CKM_SHA512_RSA_PKCS,
     CKM_SHA512_RSA_PKCS_PSS, CKM_ECDSA_SHA512, 64},
    {"SHA3-224", CKM_SHA3_224, CKG_MGF1_SHA3_224, CKD_SHA3_224_KDF, CKM_SHA3_224_RSA_PKCS,
     CKM_SHA3_224_RSA_PKCS_PSS, CKM_ECDSA_SHA3_224, 28},
    {"SHA3-256", CKM_SHA3_256, CKG_MGF1_SHA3_256, CKD_SHA3_256_KDF, CKM_SHA3_256_RSA_PKCS,
     CKM_SHA3_256_RSA_PKCS_PSS, CKM_ECDSA_SHA3_256, 32},
    {"SHA3-384", CKM_SHA3_384, CKG_MGF1_SHA3_384, CKD_SHA3_384_KDF, CKM_SHA3_384_RSA_PKCS,
     CKM_SHA3_384_RSA_PKCS_PSS, CKM_ECDSA_SHA3_384, 48},
    {"SHA3-512", CKM_SHA3_512, CKG_MGF1_SHA3_512, CKD_SHA3_512_KDF, CKM_SHA3_512_RSA_PKCS,
     CKM_SHA3_512_RSA_PKCS_PSS, CKM_ECDSA_SHA3_512, 64},
}};

const HashCase* hash_case(std::string name) {
  if (name.starts_with("SHA-") || name.starts_with("SHA2-")) {
    name = "SHA" + name.substr(name.find('-') + 1);
  }
  const auto* const at =
      std::ranges::find_if(kHashCases, [&](const HashCase& one) { return name == one.name; });
  return at == kHashCases.end() ? nullptr : at;
}

Mechanism pss(CK_MECHANISM_TYPE type, CK_MECHANISM_TYPE hash, CK_RSA_PKCS_MGF_TYPE mgf,
              CK_ULONG salt) {
  return {type, parameter(CK_RSA_PKCS_PSS_PARAMS{hash, mgf, salt})};
}

Oaep::Oaep(CK_MECHANISM_TYPE hash, CK_RSA_PKCS_MGF_TYPE mgf, core::Bytes label)
    : Mechanism(CKM_RSA_PKCS_OAEP), label_(std::move(label)) {
  params_ = {hash, mgf, CKZ_DATA_SPECIFIED, label_.empty() ? nullptr : label_.data(),
             label_.size()};
  point(&params_, sizeof params_);
}

Ecdh::Ecdh(core::Bytes peer, CK_ULONG kdf, core::Bytes shared_data, CK_MECHANISM_TYPE type)
    : Mechanism(type), peer_(std::move(peer)), shared_data_(std::move(shared_data)) {
  params_ = {kdf, shared_data_.size(), shared_data_.empty() ? nullptr : shared_data_.data(),
             peer_.size(), peer_.empty() ? nullptr : peer_.data()};
  point(&params_, sizeof params_);
}

Attributes readable_secret(CK_ULONG length, CK_KEY_TYPE type) {
  Attributes out;
  out.number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, type)
      .flag(CKA_SENSITIVE, false)
      .flag(CKA_EXTRACTABLE, true);
  if (length > 0) out.number(CKA_VALUE_LEN, length);
  return out;
}

core::Bytes curve_params(const std::string& curve) { return curve_case(curve).params; }

core::Bytes der(std::uint8_t tag, core::ByteView content) {
  core::Bytes out;
  out.push_back(tag);
  if (content.size() >= 128) out.push_back(0x81);
  out.push_back(static_cast<std::uint8_t>(content.size()));
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

PkeyPtr libcrypto_key(const std::string& kind) {
  PkeyPtr key;
  if (kind.starts_with("RSA-")) {
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA",
                                static_cast<std::size_t>(std::stoul(kind.substr(4)))));
  } else if (kind.starts_with("P-")) {
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kind.c_str()));
  } else {
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, kind.c_str()));
  }
  need(key != nullptr, "key");
  return key;
}

EVP_PKEY* some_rsa_key() {
  static const PkeyPtr kKey = libcrypto_key("RSA-2048");
  return kKey.get();
}

core::Bytes number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  need(EVP_PKEY_get_bn_param(key, name, &number) == 1, name);
  const core::BnPtr owner(number);
  core::Bytes out(static_cast<std::size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, out.data());
  return out;
}

core::Bytes point_of(const EVP_PKEY* key) {
  core::Bytes out(256);
  std::size_t size = 0;
  need(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out.data(), out.size(),
                                       &size) == 1,
       "point");
  out.resize(size);
  return out;
}

core::Bytes private_value_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC") == 1) return number_of(key, OSSL_PKEY_PARAM_PRIV_KEY);
  core::Bytes out(64);
  std::size_t size = out.size();
  need(EVP_PKEY_get_raw_private_key(key, out.data(), &size) == 1, "private key");
  out.resize(size);
  return out;
}

PkeyPtr public_key_of(const Session& session, CK_OBJECT_HANDLE key) {
  const auto info = must(session.get(key, CKA_PUBLIC_KEY_INFO));
  const auto* cursor = info.data();
  PkeyPtr out(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(info.size())));
  need(out != nullptr, "SubjectPublicKeyInfo");
  return out;
}

PkeyPtr from_pkcs8(core::ByteView der) {
  const auto* cursor = der.data();
  const core::Pkcs8Ptr info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(der.size())));
  need(info != nullptr, "PKCS#8");
  PkeyPtr out(EVP_PKCS82PKEY(info.get()));
  need(out != nullptr, "PKCS#8");
  return out;
}

core::Bytes to_pkcs8(const EVP_PKEY* key) {
  const core::Pkcs8Ptr info(EVP_PKEY2PKCS8(key));
  need(info != nullptr, "PKCS#8");
  core::Bytes out(static_cast<std::size_t>(i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr)));
  auto* cursor = out.data();
  (void)i2d_PKCS8_PRIV_KEY_INFO(info.get(), &cursor);
  return out;
}

Attributes public_key(const EVP_PKEY* key) {
  Attributes out;
  out.number(CKA_CLASS, CKO_PUBLIC_KEY);
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    return out.number(CKA_KEY_TYPE, CKK_RSA)
        .bytes(CKA_MODULUS, number_of(key, OSSL_PKEY_PARAM_RSA_N))
        .bytes(CKA_PUBLIC_EXPONENT, number_of(key, OSSL_PKEY_PARAM_RSA_E));
  }
  const auto curve = curve_case(curve_of(key));
  return out.number(CKA_KEY_TYPE, curve.key_type)
      .bytes(CKA_EC_PARAMS, curve.params)
      .bytes(CKA_EC_POINT, octets(point_of(key)));
}

Attributes private_key(const EVP_PKEY* key) {
  Attributes out;
  out.number(CKA_CLASS, CKO_PRIVATE_KEY);
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    return out.number(CKA_KEY_TYPE, CKK_RSA)
        .bytes(CKA_MODULUS, number_of(key, OSSL_PKEY_PARAM_RSA_N))
        .bytes(CKA_PUBLIC_EXPONENT, number_of(key, OSSL_PKEY_PARAM_RSA_E))
        .bytes(CKA_PRIVATE_EXPONENT, number_of(key, OSSL_PKEY_PARAM_RSA_D))
        .bytes(CKA_PRIME_1, number_of(key, OSSL_PKEY_PARAM_RSA_FACTOR1))
        .bytes(CKA_PRIME_2, number_of(key, OSSL_PKEY_PARAM_RSA_FACTOR2))
        .bytes(CKA_EXPONENT_1, number_of(key, OSSL_PKEY_PARAM_RSA_EXPONENT1))
        .bytes(CKA_EXPONENT_2, number_of(key, OSSL_PKEY_PARAM_RSA_EXPONENT2))
        .bytes(CKA_COEFFICIENT, number_of(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1));
  }
  const auto curve = curve_case(curve_of(key));
  return out.number(CKA_KEY_TYPE, curve.key_type)
      .bytes(CKA_EC_PARAMS, curve.params)
      .bytes(CKA_VALUE, private_value_of(key));
}

KeyPair generate_rsa(Session& session, CK_ULONG bits, const Attributes& more_public,
                     const Attributes& more_private) {
  return must(session.generate_pair(CKM_RSA_PKCS_KEY_PAIR_GEN,
                                    Attributes().number(CKA_MODULUS_BITS, bits).append(more_public),
                                    more_private));
}

KeyPair generate_on(Session& session, const std::string& curve, const Attributes& more_public,
                    const Attributes& more_private) {
  const auto& known = curve_case(curve);
  return must(session.generate_pair(
      known.pair, Attributes().bytes(CKA_EC_PARAMS, known.params).append(more_public),
      more_private));
}

bool verifies(EVP_PKEY* key, const Scheme& scheme, const core::Bytes& message,
              const core::Bytes& signature) {
  const auto context = digest_started(key, scheme, EVP_DigestVerifyInit_ex);
  core::Bytes copy = message;
  const bool good = EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                     pointer(copy), copy.size()) == 1;
  ERR_clear_error();
  return good;
}

core::Bytes signed_by(EVP_PKEY* key, const Scheme& scheme, const core::Bytes& message) {
  const auto context = digest_started(key, scheme, EVP_DigestSignInit_ex);
  core::Bytes copy = message;
  std::size_t size = 1024;
  core::Bytes out(size);
  need(EVP_DigestSign(context.get(), out.data(), &size, pointer(copy), copy.size()) == 1, "sign");
  out.resize(size);
  return out;
}

core::Bytes encrypted_to(EVP_PKEY* key, const Scheme& scheme, const core::Bytes& data) {
  const auto context = started(key, scheme, EVP_PKEY_encrypt_init);
  return ciphered(context.get(), data, EVP_PKEY_encrypt);
}

core::Bytes decrypted_by(EVP_PKEY* key, const Scheme& scheme, const core::Bytes& data) {
  const auto context = started(key, scheme, EVP_PKEY_decrypt_init);
  return ciphered(context.get(), data, EVP_PKEY_decrypt);
}

core::Bytes agreed_with(EVP_PKEY* own, EVP_PKEY* peer) {
  const auto context = started(own, {}, EVP_PKEY_derive_init);
  std::size_t size = 0;
  need(EVP_PKEY_derive_set_peer(context.get(), peer) == 1 &&
           EVP_PKEY_derive(context.get(), nullptr, &size) == 1,
       "peer");
  core::Bytes out(size);
  need(EVP_PKEY_derive(context.get(), out.data(), &size) == 1, "derive");
  out.resize(size);
  return out;
}

core::Bytes ecdsa_der(core::ByteView raw_signature) {
  const auto half = raw_signature.size() / 2;
  const core::EcdsaSigPtr parsed(ECDSA_SIG_new());
  auto* const r = BN_bin2bn(raw_signature.data(), static_cast<int>(half), nullptr);
  auto* const s = BN_bin2bn(raw_signature.data() + half, static_cast<int>(half), nullptr);
  need(parsed && ECDSA_SIG_set0(parsed.get(), r, s) == 1, "ECDSA");
  core::Bytes out(static_cast<std::size_t>(i2d_ECDSA_SIG(parsed.get(), nullptr)));
  auto* cursor = out.data();
  (void)i2d_ECDSA_SIG(parsed.get(), &cursor);
  return out;
}

core::Bytes ecdsa_raw(core::ByteView der, std::size_t half) {
  const auto* cursor = der.data();
  const core::EcdsaSigPtr parsed(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!parsed || cursor != der.data() + der.size()) return {};
  core::Bytes out(2 * half);
  const auto width = static_cast<int>(half);
  const auto put = [&](const BIGNUM* number, std::size_t at) {
    return BN_is_negative(number) == 0 && BN_bn2binpad(number, out.data() + at, width) == width;
  };
  if (!put(ECDSA_SIG_get0_r(parsed.get()), 0) || !put(ECDSA_SIG_get0_s(parsed.get()), half)) {
    return {};
  }
  // Only what has this one encoding.
  return ecdsa_der(out) == core::Bytes(der.begin(), der.end()) ? out : core::Bytes{};
}

}  // namespace tallystick::test
