#include "tests/pkcs11/support/post_quantum.h"

#include <openssl/err.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

namespace tallystick::test {
namespace {

constexpr PqCase kem(const char* name, CK_ULONG set, std::size_t public_size,
                     std::size_t private_size, std::size_t ciphertext, unsigned strength) {
  return {name, CKK_ML_KEM, set,     CKM_ML_KEM_KEY_PAIR_GEN, CKM_ML_KEM, public_size, private_size,
          64,   ciphertext, strength};
}
constexpr PqCase dsa(const char* name, CK_ULONG set, std::size_t public_size,
                     std::size_t private_size, std::size_t signature, unsigned strength) {
  return {name, CKK_ML_DSA, set,     CKM_ML_DSA_KEY_PAIR_GEN, CKM_ML_DSA, public_size, private_size,
          32,   signature,  strength};
}
constexpr PqCase slh(const char* name, CK_ULONG set, std::size_t n, std::size_t signature) {
  return {name,  CKK_SLH_DSA, set,       CKM_SLH_DSA_KEY_PAIR_GEN,     CKM_SLH_DSA, 2 * n,
          4 * n, 0,           signature, static_cast<unsigned>(n) * 8U};
}

// From the tables of FIPS 203, 204 and 205.
constexpr auto kCases = std::to_array<PqCase>({
    kem("ML-KEM-512", CKP_ML_KEM_512, 800, 1632, 768, 128),
    kem("ML-KEM-768", CKP_ML_KEM_768, 1184, 2400, 1088, 192),
    kem("ML-KEM-1024", CKP_ML_KEM_1024, 1568, 3168, 1568, 256),
    dsa("ML-DSA-44", CKP_ML_DSA_44, 1312, 2560, 2420, 128),
    dsa("ML-DSA-65", CKP_ML_DSA_65, 1952, 4032, 3309, 192),
    dsa("ML-DSA-87", CKP_ML_DSA_87, 2592, 4896, 4627, 256),
    slh("SLH-DSA-SHA2-128s", CKP_SLH_DSA_SHA2_128S, 16, 7856),
    slh("SLH-DSA-SHA2-128f", CKP_SLH_DSA_SHA2_128F, 16, 17088),
    slh("SLH-DSA-SHA2-192s", CKP_SLH_DSA_SHA2_192S, 24, 16224),
    slh("SLH-DSA-SHA2-192f", CKP_SLH_DSA_SHA2_192F, 24, 35664),
    slh("SLH-DSA-SHA2-256s", CKP_SLH_DSA_SHA2_256S, 32, 29792),
    slh("SLH-DSA-SHA2-256f", CKP_SLH_DSA_SHA2_256F, 32, 49856),
    slh("SLH-DSA-SHAKE-128s", CKP_SLH_DSA_SHAKE_128S, 16, 7856),
    slh("SLH-DSA-SHAKE-128f", CKP_SLH_DSA_SHAKE_128F, 16, 17088),
    slh("SLH-DSA-SHAKE-192s", CKP_SLH_DSA_SHAKE_192S, 24, 16224),
    slh("SLH-DSA-SHAKE-192f", CKP_SLH_DSA_SHAKE_192F, 24, 35664),
    slh("SLH-DSA-SHAKE-256s", CKP_SLH_DSA_SHAKE_256S, 32, 29792),
    slh("SLH-DSA-SHAKE-256f", CKP_SLH_DSA_SHAKE_256F, 32, 49856),
});

using SignInit = int (*)(EVP_MD_CTX*, EVP_PKEY_CTX**, const char*, OSSL_LIB_CTX*, const char*,
                         EVP_PKEY*, const OSSL_PARAM*);
core::MdCtxPtr started(SignInit init, EVP_PKEY* key, const PqScheme& scheme) {
  core::Bytes context = scheme.context;
  int encoding = 0;
  std::array<OSSL_PARAM, 2> params{OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
  if (scheme.raw) {
    params[0] = OSSL_PARAM_construct_int("message-encoding", &encoding);
  } else if (!context.empty()) {
    params[0] = OSSL_PARAM_construct_octet_string("context-string", context.data(), context.size());
  }
  core::MdCtxPtr out(EVP_MD_CTX_new());
  need(init(out.get(), nullptr, nullptr, nullptr, nullptr, key, params.data()) == 1, "init");
  return out;
}

}  // namespace

std::span<const PqCase> pq_cases() { return kCases; }

const PqCase& pq_case(const char* name) {
  const auto* const at = std::ranges::find(kCases, std::string_view(name), &PqCase::name);
  if (at == kCases.end()) throw std::runtime_error(std::string("no such parameter set: ") + name);
  return *at;
}

std::string test_name(const PqCase& tested) {
  std::string out = tested.name;
  std::ranges::replace(out, '-', '_');
  return out;
}

bool libcrypto_has(const std::string& name) {
  const core::KeymgmtPtr found(EVP_KEYMGMT_fetch(nullptr, name.c_str(), nullptr));
  ERR_clear_error();
  return found != nullptr;
}

std::vector<PqCase> pq_at_hand(const std::vector<std::string>& names) {
  std::vector<PqCase> out;
  for (const auto& name : names) {
    if (libcrypto_has(name)) out.push_back(pq_case(name.c_str()));
  }
  return out;
}

KeyPair generate_pq(Session& session, const PqCase& tested, const Attributes& more_public,
                    const Attributes& more_private) {
  return must(session.generate_pair(
      tested.pair, Attributes().number(CKA_PARAMETER_SET, tested.parameter_set).append(more_public),
      more_private));
}

Attributes pq_object(const PqCase& tested, CK_OBJECT_CLASS object_class) {
  return Attributes()
      .number(CKA_CLASS, object_class)
      .number(CKA_KEY_TYPE, tested.key_type)
      .number(CKA_PARAMETER_SET, tested.parameter_set);
}

core::Bytes pq_part(const EVP_PKEY* key, const char* name) {
  core::Bytes out(8192);
  std::size_t size = 0;
  need(EVP_PKEY_get_octet_string_param(key, name, out.data(), out.size(), &size) == 1, name);
  out.resize(size);
  return out;
}

SignContext::SignContext(CK_MECHANISM_TYPE type, CK_HEDGE_TYPE hedge, core::Bytes context)
    : Mechanism(type), context_(std::move(context)) {
  params_ = {hedge, context_.empty() ? nullptr : context_.data(), context_.size()};
  point(&params_, sizeof params_);
}

HashSignContext::HashSignContext(CK_MECHANISM_TYPE hash, CK_HEDGE_TYPE hedge, core::Bytes context)
    : Mechanism(CKM_HASH_ML_DSA), context_(std::move(context)) {
  params_ = {hedge, context_.empty() ? nullptr : context_.data(), context_.size(), hash};
  point(&params_, sizeof params_);
}

Answer<core::Bytes> pq_sign(Session& session, Mechanism& mechanism, CK_OBJECT_HANDLE key,
                            core::Bytes data) {
  Answer<core::Bytes> out;
  out.rv = session->C_SignInit(session.handle(), mechanism.get(), key);
  if (out.rv != CKR_OK) return out;
  out.value.resize(1UL << 16);
  CK_ULONG size = out.value.size();
  out.rv = session->C_Sign(session.handle(), pointer(data), data.size(), out.value.data(), &size);
  out.value.resize(out.rv == CKR_OK ? size : 0);
  return out;
}

CK_RV pq_verify(Session& session, Mechanism& mechanism, CK_OBJECT_HANDLE key, core::Bytes data,
                core::Bytes signature) {
  const auto rv = session->C_VerifyInit(session.handle(), mechanism.get(), key);
  if (rv != CKR_OK) return rv;
  return session->C_Verify(session.handle(), pointer(data), data.size(), pointer(signature),
                           signature.size());
}

Answer<Encapsulation> encapsulate(const Module& module, const Session& session,
                                  CK_OBJECT_HANDLE key, Attributes wanted) {
  Answer<Encapsulation> out;
  Mechanism mechanism(CKM_ML_KEM);
  out.value.ciphertext.resize(4096);
  CK_ULONG size = out.value.ciphertext.size();
  out.rv = module.v32()->C_EncapsulateKey(session.handle(), mechanism.get(), key, wanted.data(),
                                          wanted.size(), out.value.ciphertext.data(), &size,
                                          &out.value.key);
  out.value.ciphertext.resize(out.rv == CKR_OK ? size : 0);
  return out;
}

Answer<CK_OBJECT_HANDLE> decapsulate(const Module& module, const Session& session,
                                     CK_OBJECT_HANDLE key, core::Bytes ciphertext,
                                     Attributes wanted) {
  Answer<CK_OBJECT_HANDLE> out;
  Mechanism mechanism(CKM_ML_KEM);
  out.rv = module.v32()->C_DecapsulateKey(session.handle(), mechanism.get(), key, wanted.data(),
                                          wanted.size(), pointer(ciphertext), ciphertext.size(),
                                          &out.value);
  return out;
}

core::Bytes libcrypto_pq_sign(EVP_PKEY* key, const PqScheme& scheme, const core::Bytes& message) {
  const auto context = started(EVP_DigestSignInit_ex, key, scheme);
  core::Bytes copy = message;
  core::Bytes out(1UL << 16);
  std::size_t size = out.size();
  need(EVP_DigestSign(context.get(), out.data(), &size, pointer(copy), copy.size()) == 1, "sign");
  out.resize(size);
  return out;
}

bool libcrypto_pq_verifies(EVP_PKEY* key, const PqScheme& scheme, const core::Bytes& message,
                           const core::Bytes& signature) {
  const auto context = started(EVP_DigestVerifyInit_ex, key, scheme);
  core::Bytes copy = message;
  const bool good = EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                     pointer(copy), copy.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace tallystick::test
