#include "core/crypto/crypto.h"

#include <openssl/objects.h>
#include <openssl/rand.h>

#include <string>

namespace tallystick::core {
namespace {

constexpr std::array<const char*, kHashCount> kHashNames = {
    "SHA1",     "SHA2-224", "SHA2-256", "SHA2-384",     "SHA2-512",    "SHA3-224",
    "SHA3-256", "SHA3-384", "SHA3-512", "SHA2-512/224", "SHA2-512/256"};
constexpr std::array<std::size_t, kHashCount> kHashSizes = {20, 28, 32, 48, 64, 28,
                                                            32, 48, 64, 28, 32};
constexpr std::array<const char*, kAesModeCount> kAesModeNames = {"GCM", "CCM", "CTR", "CBC",
                                                                  "ECB"};

constexpr unsigned kStrength = 256;  // of what is made from random bytes, in bits

constexpr std::array<int, 3> kCurves = {NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1};

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
  for (std::size_t mode = 0; mode < kAesModeCount; ++mode) {
    for (std::size_t i = 0; i < made->aes_[mode].size(); ++i) {
      const auto name = "AES-" + std::to_string(128 + 64 * i) + "-" + kAesModeNames[mode];
      keep(made->aes_[mode][i], EVP_CIPHER_fetch(lib, name.c_str(), nullptr));
    }
  }
  keep(made->hmac_, EVP_MAC_fetch(lib, "HMAC", nullptr));
  keep(made->cmac_, EVP_MAC_fetch(lib, "CMAC", nullptr));
  keep(made->hkdf_, EVP_KDF_fetch(lib, "HKDF", nullptr));
  keep(made->kbkdf_, EVP_KDF_fetch(lib, "KBKDF", nullptr));
  keep(made->scrypt_, EVP_KDF_fetch(lib, "SCRYPT", nullptr));
  // libcrypto makes the methods of a kind when the first of them is fetched, and the context's
  // generators when one is asked for, and never again: without memory at that moment they would be
  // missing for good. So it is now, where a failure is seen.
  const auto prepare = [&all](auto* fetched, auto release) {
    all = all && fetched != nullptr;
    release(fetched);
  };
  prepare(EVP_RAND_fetch(lib, "CTR-DRBG", nullptr), &EVP_RAND_free);
  all = all && RAND_get0_primary(lib) != nullptr;
  prepare(EVP_KEYMGMT_fetch(lib, "EC", nullptr), &EVP_KEYMGMT_free);
  prepare(EVP_SIGNATURE_fetch(lib, "ECDSA", nullptr), &EVP_SIGNATURE_free);
  prepare(EVP_KEYEXCH_fetch(lib, "ECDH", nullptr), &EVP_KEYEXCH_free);
  prepare(EVP_ASYM_CIPHER_fetch(lib, "RSA", nullptr), &EVP_ASYM_CIPHER_free);
  for (std::size_t i = 0; i < kCurves.size(); ++i) {
    made->ec_keys_[i] = std::make_unique<EcKeyGenerator>(lib, kCurves[i]);
  }
  if (!all) return crypto_error("an algorithm is missing");
  return std::shared_ptr<const Crypto>(made);
}

const EVP_CIPHER* Crypto::aes(AesMode mode, std::size_t key_size) const {
  if (key_size != 16 && key_size != 24 && key_size != 32) return nullptr;
  return aes_[static_cast<std::size_t>(mode)][(key_size - 16) / 8].get();
}

PkeyPtr Crypto::generate_ec_key(int nid) const {
  for (const auto& generator : ec_keys_) {
    if (generator->nid() == nid) return generator->generate();
  }
  return nullptr;
}

Status Crypto::random(MutableByteView out) const {
  if (out.empty()) return {};
  // The thread's own, so that no lock is taken; made at first use. By its handle, since
  // RAND_priv_bytes_ex asks first whether an engine of the process has put itself in its place.
  auto* const generator = RAND_get0_private(lib());
  if (generator == nullptr ||
      EVP_RAND_generate(generator, out.data(), out.size(), kStrength, 0, nullptr, 0) != 1) {
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
