// Crypto: a private OSSL_LIB_CTX with the default provider and no configuration file, and the
// algorithms that are used fetched from it once. Everything in core that computes takes one by
// reference. Immutable after create(), so any number of threads may share it.
#pragma once

#include <array>
#include <memory>

#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/crypto/handles.h"
#include "core/crypto/key_context.h"

namespace tallystick::core {

enum class Hash : std::uint8_t {
  kSha1,
  kSha224,
  kSha256,
  kSha384,
  kSha512,
  kSha3_224,
  kSha3_256,
  kSha3_384,
  kSha3_512,
  kSha512_224,
  kSha512_256,
};
constexpr std::size_t kHashCount = 11;
// Output length in bytes.
std::size_t hash_size(Hash hash);

// What AES is used in. kEcb is the bare block cipher, for modes that libcrypto builds on one.
enum class AesMode : std::uint8_t { kGcm, kCcm, kCtr, kCbc, kEcb };
constexpr std::size_t kAesModeCount = 5;

class Crypto {
 public:
  // Fails with kCrypto when libcrypto has no default provider or lacks an algorithm.
  static Result<std::shared_ptr<const Crypto>> create();

  [[nodiscard]] OSSL_LIB_CTX* lib() const { return lib_.get(); }
  [[nodiscard]] const EVP_MD* md(Hash hash) const {
    return md_[static_cast<std::size_t>(hash)].get();
  }
  [[nodiscard]] EVP_MAC* hmac() const { return hmac_.get(); }
  [[nodiscard]] EVP_MAC* cmac() const { return cmac_.get(); }
  [[nodiscard]] EVP_KDF* hkdf() const { return hkdf_.get(); }
  [[nodiscard]] EVP_KDF* kbkdf() const { return kbkdf_.get(); }
  [[nodiscard]] EVP_KDF* scrypt() const { return scrypt_.get(); }
  // For a key of 16, 24 or 32 bytes; nullptr for any other size.
  [[nodiscard]] const EVP_CIPHER* aes(AesMode mode, std::size_t key_size) const;

  // A new key on the curve of libcrypto's number for P-256, P-384 or P-521; null on failure.
  [[nodiscard]] PkeyPtr generate_ec_key(int nid) const;

  // Fills from libcrypto's generator for private values. Fails with kCrypto; then nothing may be
  // made from the buffer (S23).
  Status random(MutableByteView out) const;
  [[nodiscard]] Result<Secret> random_secret(std::size_t size) const;

 private:
  Crypto() = default;

  // Order matters: what was fetched goes before the provider, the provider before its context.
  LibCtxPtr lib_;
  ProviderPtr provider_;
  std::array<MdPtr, kHashCount> md_;
  std::array<std::array<CipherPtr, 3>, kAesModeCount> aes_;  // 128, 192, 256
  MacPtr hmac_;
  MacPtr cmac_;
  KdfPtr hkdf_;
  KdfPtr kbkdf_;
  KdfPtr scrypt_;
  std::array<std::unique_ptr<EcKeyGenerator>, 3> ec_keys_;
};

}  // namespace tallystick::core
