#include "core/crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

namespace tallystick::core {
namespace {

// libcrypto takes parameters through pointers to non-const and only reads them. A null pointer
// would read as "not given", so that empty octets point at a byte that is never read.
OSSL_PARAM octets(const char* name, ByteView bytes) {
  static const std::uint8_t nothing = 0;
  const auto* const data = bytes.empty() ? &nothing : bytes.data();
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(data), bytes.size());
}

OSSL_PARAM text(const char* name, const char* value) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
}

Result<Secret> derive(EVP_KDF* algorithm, const OSSL_PARAM* params, std::size_t size,
                      const char* what) {
  const KdfCtxPtr context(EVP_KDF_CTX_new(algorithm));
  if (!context) return crypto_error(what);
  Secret out(size);
  if (EVP_KDF_derive(context.get(), out.span().data(), size, params) != 1) {
    return crypto_error(what);
  }
  return out;
}

Result<Secret> run_hkdf(const Crypto& crypto, Hash hash, int mode, ByteView key, ByteView salt,
                        ByteView info, std::size_t size) {
  const std::array<OSSL_PARAM, 6> params = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      text(OSSL_KDF_PARAM_DIGEST, EVP_MD_get0_name(crypto.md(hash))),
      octets(OSSL_KDF_PARAM_KEY, key),
      octets(OSSL_KDF_PARAM_SALT, salt),
      octets(OSSL_KDF_PARAM_INFO, info),
      OSSL_PARAM_construct_end()};
  return derive(crypto.hkdf(), params.data(), size, "HKDF");
}

}  // namespace

Result<Secret> hkdf_extract(const Crypto& crypto, Hash hash, ByteView salt, ByteView ikm) {
  return run_hkdf(crypto, hash, EVP_KDF_HKDF_MODE_EXTRACT_ONLY, ikm, salt, {}, hash_size(hash));
}

Result<Secret> hkdf_expand(const Crypto& crypto, Hash hash, ByteView prk, ByteView info,
                           std::size_t size) {
  return run_hkdf(crypto, hash, EVP_KDF_HKDF_MODE_EXPAND_ONLY, prk, {}, info, size);
}

Result<Secret> hkdf(const Crypto& crypto, Hash hash, ByteView salt, ByteView ikm, ByteView info,
                    std::size_t size) {
  return run_hkdf(crypto, hash, EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, ikm, salt, info, size);
}

Result<Secret> counter_kdf(const Crypto& crypto, Hash hash, ByteView key, ByteView label,
                           ByteView context, std::size_t size) {
  const std::array<OSSL_PARAM, 7> params = {
      text(OSSL_KDF_PARAM_MODE, "counter"),
      text(OSSL_KDF_PARAM_MAC, "HMAC"),
      text(OSSL_KDF_PARAM_DIGEST, EVP_MD_get0_name(crypto.md(hash))),
      octets(OSSL_KDF_PARAM_KEY, key),
      octets(OSSL_KDF_PARAM_SALT, label),
      octets(OSSL_KDF_PARAM_INFO, context),
      OSSL_PARAM_construct_end()};
  return derive(crypto.kbkdf(), params.data(), size, "SP 800-108 KDF");
}

Result<Secret> pbkdf2(const Crypto& crypto, Hash hash, ByteView password, ByteView salt,
                      std::uint64_t iterations, std::size_t size) {
  const KdfPtr algorithm(EVP_KDF_fetch(crypto.lib(), "PBKDF2", nullptr));
  if (!algorithm) return crypto_error("PBKDF2");
  int any_strength = 1;
  const std::array<OSSL_PARAM, 6> params = {
      text(OSSL_KDF_PARAM_DIGEST, EVP_MD_get0_name(crypto.md(hash))),
      octets(OSSL_KDF_PARAM_PASSWORD, password),
      octets(OSSL_KDF_PARAM_SALT, salt),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &iterations),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &any_strength),
      OSSL_PARAM_construct_end()};
  return derive(algorithm.get(), params.data(), size, "PBKDF2");
}

Result<Secret> scrypt(const Crypto& crypto, ByteView password, ByteView salt, ScryptCost cost,
                      std::size_t size) {
  std::uint64_t memory = 1ULL << 30U;
  const std::array<OSSL_PARAM, 7> params = {
      octets(OSSL_KDF_PARAM_PASSWORD, password),
      octets(OSSL_KDF_PARAM_SALT, salt),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &cost.n),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &cost.r),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &cost.p),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
      OSSL_PARAM_construct_end()};
  return derive(crypto.scrypt(), params.data(), size, "scrypt");
}

}  // namespace tallystick::core
