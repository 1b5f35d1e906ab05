// The numbers that PKCS#11 gives to a hash and to what is built on it. One row per hash; families
// of mechanisms register themselves from it.
#pragma once

#include <array>
#include <optional>
#include <utility>

#include "core/crypto/crypto.h"
#include "pkcs11/engine/cryptoki.h"

namespace tallystick::token {

// What every hash has.
struct DigestNumbers {
  core::Hash hash;
  CK_MECHANISM_TYPE digest;
  CK_MECHANISM_TYPE hmac;
  CK_KEY_TYPE hmac_key;
};

// In the order of core::Hash.
inline constexpr std::array<DigestNumbers, core::kHashCount> kDigestNumbers = {{
    {core::Hash::kSha1, CKM_SHA_1, CKM_SHA_1_HMAC, CKK_SHA_1_HMAC},
    {core::Hash::kSha224, CKM_SHA224, CKM_SHA224_HMAC, CKK_SHA224_HMAC},
    {core::Hash::kSha256, CKM_SHA256, CKM_SHA256_HMAC, CKK_SHA256_HMAC},
    {core::Hash::kSha384, CKM_SHA384, CKM_SHA384_HMAC, CKK_SHA384_HMAC},
    {core::Hash::kSha512, CKM_SHA512, CKM_SHA512_HMAC, CKK_SHA512_HMAC},
    {core::Hash::kSha3_224, CKM_SHA3_224, CKM_SHA3_224_HMAC, CKK_SHA3_224_HMAC},
    {core::Hash::kSha3_256, CKM_SHA3_256, CKM_SHA3_256_HMAC, CKK_SHA3_256_HMAC},
    {core::Hash::kSha3_384, CKM_SHA3_384, CKM_SHA3_384_HMAC, CKK_SHA3_384_HMAC},
    {core::Hash::kSha3_512, CKM_SHA3_512, CKM_SHA3_512_HMAC, CKK_SHA3_512_HMAC},
    {core::Hash::kSha512_224, CKM_SHA512_224, CKM_SHA512_224_HMAC, CKK_SHA512_224_HMAC},
    {core::Hash::kSha512_256, CKM_SHA512_256, CKM_SHA512_256_HMAC, CKK_SHA512_256_HMAC},
}};

constexpr const DigestNumbers& digest_numbers_of(core::Hash hash) {
  return kDigestNumbers[static_cast<std::size_t>(hash)];
}

// The hash whose `column` is `number`, e.g. any_hash_with(&DigestNumbers::hmac, CKM_SHA256_HMAC).
constexpr std::optional<core::Hash> any_hash_with(CK_MECHANISM_TYPE DigestNumbers::*column,
                                                  CK_MECHANISM_TYPE number) {
  for (const auto& row : kDigestNumbers) {
    if (row.*column == number) return row.hash;
  }
  return std::nullopt;
}

// What signatures are made with.
struct HashNumbers {
  core::Hash hash;
  CK_ULONG mgf;
  CK_ULONG kdf;  // X9.63
  CK_ULONG rsa_pkcs;
  CK_ULONG rsa_pss;
  CK_ULONG ecdsa;
  CK_ULONG hash_ml_dsa;  // CK_UNAVAILABLE_INFORMATION where there is none
};

// The hashes that signatures are made with: all but the two shortened SHA-512, which come last.
constexpr std::size_t kSignatureHashCount = core::kHashCount - 2;

// In the order of core::Hash.
inline constexpr std::array<HashNumbers, kSignatureHashCount> kHashNumbers = {{
    {core::Hash::kSha1, CKG_MGF1_SHA1, CKD_SHA1_KDF, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS,
     CKM_ECDSA_SHA1, CK_UNAVAILABLE_INFORMATION},
    {core::Hash::kSha224, CKG_MGF1_SHA224, CKD_SHA224_KDF, CKM_SHA224_RSA_PKCS,
     CKM_SHA224_RSA_PKCS_PSS, CKM_ECDSA_SHA224, CKM_HASH_ML_DSA_SHA224},
    {core::Hash::kSha256, CKG_MGF1_SHA256, CKD_SHA256_KDF, CKM_SHA256_RSA_PKCS,
     CKM_SHA256_RSA_PKCS_PSS, CKM_ECDSA_SHA256, CKM_HASH_ML_DSA_SHA256},
    {core::Hash::kSha384, CKG_MGF1_SHA384, CKD_SHA384_KDF, CKM_SHA384_RSA_PKCS,
     CKM_SHA384_RSA_PKCS_PSS, CKM_ECDSA_SHA384, CKM_HASH_ML_DSA_SHA384},
    {core::Hash::kSha512, CKG_MGF1_SHA512, CKD_SHA512_KDF, CKM_SHA512_RSA_PKCS,
     CKM_SHA512_RSA_PKCS_PSS, CKM_ECDSA_SHA512, CKM_HASH_ML_DSA_SHA512},
    {core::Hash::kSha3_224, CKG_MGF1_SHA3_224, CKD_SHA3_224_KDF, CKM_SHA3_224_RSA_PKCS,
     CKM_SHA3_224_RSA_PKCS_PSS, CKM_ECDSA_SHA3_224, CKM_HASH_ML_DSA_SHA3_224},
    {core::Hash::kSha3_256, CKG_MGF1_SHA3_256, CKD_SHA3_256_KDF, CKM_SHA3_256_RSA_PKCS,
     CKM_SHA3_256_RSA_PKCS_PSS, CKM_ECDSA_SHA3_256, CKM_HASH_ML_DSA_SHA3_256},
    {core::Hash::kSha3_384, CKG_MGF1_SHA3_384, CKD_SHA3_384_KDF, CKM_SHA3_384_RSA_PKCS,
     CKM_SHA3_384_RSA_PKCS_PSS, CKM_ECDSA_SHA3_384, CKM_HASH_ML_DSA_SHA3_384},
    {core::Hash::kSha3_512, CKG_MGF1_SHA3_512, CKD_SHA3_512_KDF, CKM_SHA3_512_RSA_PKCS,
     CKM_SHA3_512_RSA_PKCS_PSS, CKM_ECDSA_SHA3_512, CKM_HASH_ML_DSA_SHA3_512},
}};

constexpr const HashNumbers& numbers_of(core::Hash hash) {
  return kHashNumbers[static_cast<std::size_t>(hash)];
}

// The hash whose `column` is `number`, e.g. hash_with(&HashNumbers::mgf, params.mgf).
constexpr std::optional<core::Hash> hash_with(CK_ULONG HashNumbers::*column, CK_ULONG number) {
  for (const auto& row : kHashNumbers) {
    if (row.*column == number) return row.hash;
  }
  return std::nullopt;
}

// The hash of a digest that signatures are made with.
constexpr std::optional<core::Hash> signature_hash(CK_MECHANISM_TYPE digest) {
  const auto hash = any_hash_with(&DigestNumbers::digest, digest);
  return hash && static_cast<std::size_t>(*hash) < kSignatureHashCount ? hash : std::nullopt;
}

// Calls make.template operator()<hash>() for each of the first hashes: factories are plain
// functions, one each.
template <std::size_t kCount = kSignatureHashCount, typename Make>
constexpr void for_each_hash(Make make) {
  [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    (make.template operator()<static_cast<core::Hash>(kIndex)>(), ...);
  }
  (std::make_index_sequence<kCount>());
}

}  // namespace tallystick::token
