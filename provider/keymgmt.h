// Key management: what the core does with a key of any type. One implementation for all types,
// since libcrypto's own keys do the work that needs no secret; the types differ in names only.
#pragma once

#include <array>

#include "provider/key.h"

namespace tallystick::provider {

inline constexpr KeyType kRsa{"RSA", "RSA:rsaEncryption:1.2.840.113549.1.1.1", "RSA", nullptr};
inline constexpr KeyType kRsaPss{"RSA-PSS", "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", "RSA",
                                 nullptr};
inline constexpr KeyType kEc{"EC", "EC:id-ecPublicKey:1.2.840.10045.2.1", "ECDSA", "ECDH"};
inline constexpr KeyType kEd25519{"ED25519", "ED25519:1.3.101.112", "ED25519", nullptr};
inline constexpr KeyType kEd448{"ED448", "ED448:1.3.101.113", "ED448", nullptr};
inline constexpr KeyType kX25519{"X25519", "X25519:1.3.101.110", nullptr, "X25519"};
inline constexpr KeyType kX448{"X448", "X448:1.3.101.111", nullptr, "X448"};
// From OpenSSL 3.5 on (FIPS 204); with an older one nobody makes or asks for such keys.
inline constexpr KeyType kMlDsa44{
    "ML-DSA-44", "ML-DSA-44:MLDSA44:2.16.840.1.101.3.4.3.17:id-ml-dsa-44", "ML-DSA-44", nullptr};
inline constexpr KeyType kMlDsa65{
    "ML-DSA-65", "ML-DSA-65:MLDSA65:2.16.840.1.101.3.4.3.18:id-ml-dsa-65", "ML-DSA-65", nullptr};
inline constexpr KeyType kMlDsa87{
    "ML-DSA-87", "ML-DSA-87:MLDSA87:2.16.840.1.101.3.4.3.19:id-ml-dsa-87", "ML-DSA-87", nullptr};
inline constexpr std::array kKeyTypes = {&kRsa,    &kRsaPss, &kEc,      &kEd25519, &kEd448,
                                         &kX25519, &kX448,   &kMlDsa44, &kMlDsa65, &kMlDsa87};
// In the order of the numbers that PKCS#11 gives to their parameter sets, from 1.
inline constexpr std::array kMlDsa = {&kMlDsa44, &kMlDsa65, &kMlDsa87};
// CKP_ML_DSA_44 and so on; 0: the type is another one.
constexpr unsigned long ml_dsa_set(const KeyType& type) {
  for (std::size_t i = 0; i < kMlDsa.size(); ++i) {
    if (kMlDsa.at(i) == &type) return i + 1;
  }
  return 0;
}

const OSSL_ALGORITHM* keymgmt_algorithms();

// Generation (keymgmt_gen.cpp).
void* generation_init(Context& context, const KeyType& type, int selection,
                      const OSSL_PARAM params[]);
int generation_set_template(void* generation, void* key);
int generation_set_params(void* generation, const OSSL_PARAM params[]);
const OSSL_PARAM* generation_settable(void* generation, void* provider_context);
void* generate(void* generation, OSSL_CALLBACK* progress, void* argument);
void generation_cleanup(void* generation);

}  // namespace tallystick::provider
