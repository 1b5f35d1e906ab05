#include "core/crypto/crypto.h"

#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/rand.h>

namespace tallystick::core {
namespace {

constexpr std::array<const char*, kHashCount> kHashNames = {"SHA1", "SHA2-224", "SHA2-256",
                                                            "SHA2-384", "SHA2-512"};
constexpr std::array<std::size_t, kHashCount> kHashSizes = {20, 28, 32, 48, 64};
constexpr std::array<const char*, 3> kGcmNames = {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"};
constexpr std::array<const char*, 3> kCcmNames = {"AES-128-CCM", "AES-192-CCM", "AES-256-CCM"};

constexpr std::array<int, 3> kCurves = {NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1};

EVP_PKEY* make_parameters(OSSL_LIB_CTX* lib, int nid) {
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(lib, "EC", nullptr));
  EVP_PKEY* parameters = nullptr;
  if (!context || EVP_PKEY_paramgen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_group_name(context.get(), OBJ_nid2sn(nid)) != 1 ||
      EVP_PKEY_paramgen(context.get(), &parameters) != 1) {
    return nullptr;
  }
  return parameters;
}

const EVP_CIPHER* by_key_size(const std::array<CipherPtr, 3>& ciphers, std::size_t key_size) {
  if (key_size != 16 && key_size != 24 && key_size != 32) return nullptr;
  return ciphers[(key_size - 16) / 8].get();
}

}  // namespace

std::size_t hash_size(Hash hash) { return kHashSizes[static_cast<std::size_t>(hash)]; }

Result<std::shared_ptr<const Crypto>> Crypto::create() {
  const std::shared_ptr<Crypto> made(new Crypto);
  made->lib_.reset(OSSL_LIB_CTX_new());
  if (!made->lib_) return crypto_error("no library context");
  auto* const lib = made->lib_.get();
  made->provider_.reset(OSSL_PROVIDER_load(lib, "default"));
  if (!made->provider_) return crypto_error("the default provider does not load");

  bool all = true;
  const auto keep = [&all](auto& owner, auto* fetched) {
    owner.reset(fetched);
    all = all && fetched != nullptr;
  };
  for (std::size_t i = 0; i < kHashCount; ++i) {
    keep(made->md_[i], EVP_MD_fetch(lib, kHashNames[i], nullptr));
  }
  for (std::size_t i = 0; i < 3; ++i) {
    keep(made->gcm_[i], EVP_CIPHER_fetch(lib, kGcmNames[i], nullptr));
    keep(made->ccm_[i], EVP_CIPHER_fetch(lib, kCcmNames[i], nullptr));
  }
  keep(made->hmac_, EVP_MAC_fetch(lib, "HMAC", nullptr));
  keep(made->cmac_, EVP_MAC_fetch(lib, "CMAC", nullptr));
  keep(made->hkdf_, EVP_KDF_fetch(lib, "HKDF", nullptr));
  keep(made->kbkdf_, EVP_KDF_fetch(lib, "KBKDF", nullptr));
  keep(made->scrypt_, EVP_KDF_fetch(lib, "SCRYPT", nullptr));
  for (std::size_t i = 0; i < kCurves.size(); ++i) {
    keep(made->ec_parameters_[i], make_parameters(lib, kCurves[i]));
  }
  if (!all) return crypto_error("an algorithm is missing");
  return std::shared_ptr<const Crypto>(made);
}

const EVP_CIPHER* Crypto::gcm(std::size_t key_size) const { return by_key_size(gcm_, key_size); }
const EVP_CIPHER* Crypto::ccm(std::size_t key_size) const { return by_key_size(ccm_, key_size); }

EVP_PKEY* Crypto::ec_parameters(int nid) const {
  for (std::size_t i = 0; i < kCurves.size(); ++i) {
    if (kCurves[i] == nid) return ec_parameters_[i].get();
  }
  return nullptr;
}

Status Crypto::random(MutableByteView out) const {
  if (!out.empty() && RAND_priv_bytes_ex(lib(), out.data(), out.size(), 256) != 1) {
    return crypto_error("the random generator failed");
  }
  return {};
}

Result<Secret> Crypto::random_secret(std::size_t size) const {
  Secret out(size);
  if (auto filled = random(out.span()); !filled) return std::move(filled).error();
  return out;
}

}  // namespace tallystick::core
