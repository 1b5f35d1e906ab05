// The types of keys: what libcrypto calls them, and what PKCS#11 does.
#pragma once

#include <openssl/crypto.h>

#include <array>
#include <utility>

#include <p11-kit/pkcs11.h>

#include "pkcs11/include/tallystick/pkcs11_v3.h"

namespace tallystick::provider {

class Context;

// Post-quantum keys: what are types to libcrypto are numbers of parameter sets to PKCS#11.
struct PostQuantum {
  CK_KEY_TYPE key_type;
  CK_MECHANISM_TYPE generation;
  // Signs, or opens what was encapsulated.
  CK_MECHANISM_TYPE use;
};
inline constexpr PostQuantum kMlDsa{CKK_ML_DSA, CKM_ML_DSA_KEY_PAIR_GEN, CKM_ML_DSA};
inline constexpr PostQuantum kSlhDsa{CKK_SLH_DSA, CKM_SLH_DSA_KEY_PAIR_GEN, CKM_SLH_DSA};
inline constexpr PostQuantum kMlKem{CKK_ML_KEM, CKM_ML_KEM_KEY_PAIR_GEN, CKM_ML_KEM};

struct KeyType {
  // The name that libcrypto and our references know it by.
  const char* name;
  // All names, as an algorithm is registered with them; the same as the default provider's.
  const char* names;
  // The operations; null where there is none.
  const char* signature;
  const char* exchange;
  // Null of all others; then CKA_PARAMETER_SET, too.
  const PostQuantum* post_quantum = nullptr;
  CK_ULONG set = 0;
};

inline constexpr KeyType kRsa{"RSA", "RSA:rsaEncryption:1.2.840.113549.1.1.1", "RSA", nullptr};
inline constexpr KeyType kRsaPss{"RSA-PSS", "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", "RSA",
                                 nullptr};
inline constexpr KeyType kEc{"EC", "EC:id-ecPublicKey:1.2.840.10045.2.1", "ECDSA", "ECDH"};
inline constexpr KeyType kEd25519{"ED25519", "ED25519:1.3.101.112", "ED25519", nullptr};
inline constexpr KeyType kEd448{"ED448", "ED448:1.3.101.113", "ED448", nullptr};
inline constexpr KeyType kX25519{"X25519", "X25519:1.3.101.110", nullptr, "X25519"};
inline constexpr KeyType kX448{"X448", "X448:1.3.101.111", nullptr, "X448"};

// FIPS 204, 203 and 205.
constexpr KeyType ml_dsa(const char* name, const char* names, CK_ULONG set) {
  return {name, names, name, nullptr, &kMlDsa, set};
}
constexpr KeyType ml_kem(const char* name, const char* names, CK_ULONG set) {
  return {name, names, nullptr, nullptr, &kMlKem, set};
}
constexpr KeyType slh_dsa(const char* name, const char* names, CK_ULONG set) {
  return {name, names, name, nullptr, &kSlhDsa, set};
}
inline constexpr KeyType kMlDsa44 =
    ml_dsa("ML-DSA-44", "ML-DSA-44:MLDSA44:2.16.840.1.101.3.4.3.17:id-ml-dsa-44", CKP_ML_DSA_44);
inline constexpr KeyType kMlDsa65 =
    ml_dsa("ML-DSA-65", "ML-DSA-65:MLDSA65:2.16.840.1.101.3.4.3.18:id-ml-dsa-65", CKP_ML_DSA_65);
inline constexpr KeyType kMlDsa87 =
    ml_dsa("ML-DSA-87", "ML-DSA-87:MLDSA87:2.16.840.1.101.3.4.3.19:id-ml-dsa-87", CKP_ML_DSA_87);
inline constexpr KeyType kMlKem512 = ml_kem(
    "ML-KEM-512", "ML-KEM-512:MLKEM512:2.16.840.1.101.3.4.4.1:id-alg-ml-kem-512", CKP_ML_KEM_512);
inline constexpr KeyType kMlKem768 = ml_kem(
    "ML-KEM-768", "ML-KEM-768:MLKEM768:2.16.840.1.101.3.4.4.2:id-alg-ml-kem-768", CKP_ML_KEM_768);
inline constexpr KeyType kMlKem1024 =
    ml_kem("ML-KEM-1024", "ML-KEM-1024:MLKEM1024:2.16.840.1.101.3.4.4.3:id-alg-ml-kem-1024",
           CKP_ML_KEM_1024);
inline constexpr KeyType kSlhDsaSha2128s =
    slh_dsa("SLH-DSA-SHA2-128s", "SLH-DSA-SHA2-128s:id-slh-dsa-sha2-128s:2.16.840.1.101.3.4.3.20",
            CKP_SLH_DSA_SHA2_128S);
inline constexpr KeyType kSlhDsaSha2128f =
    slh_dsa("SLH-DSA-SHA2-128f", "SLH-DSA-SHA2-128f:id-slh-dsa-sha2-128f:2.16.840.1.101.3.4.3.21",
            CKP_SLH_DSA_SHA2_128F);
inline constexpr KeyType kSlhDsaSha2192s =
    slh_dsa("SLH-DSA-SHA2-192s", "SLH-DSA-SHA2-192s:id-slh-dsa-sha2-192s:2.16.840.1.101.3.4.3.22",
            CKP_SLH_DSA_SHA2_192S);
inline constexpr KeyType kSlhDsaSha2192f =
    slh_dsa("SLH-DSA-SHA2-192f", "SLH-DSA-SHA2-192f:id-slh-dsa-sha2-192f:2.16.840.1.101.3.4.3.23",
            CKP_SLH_DSA_SHA2_192F);
inline constexpr KeyType kSlhDsaSha2256s =
    slh_dsa("SLH-DSA-SHA2-256s", "SLH-DSA-SHA2-256s:id-slh-dsa-sha2-256s:2.16.840.1.101.3.4.3.24",
            CKP_SLH_DSA_SHA2_256S);
inline constexpr KeyType kSlhDsaSha2256f =
    slh_dsa("SLH-DSA-SHA2-256f", "SLH-DSA-SHA2-256f:id-slh-dsa-sha2-256f:2.16.840.1.101.3.4.3.25",
            CKP_SLH_DSA_SHA2_256F);
inline constexpr KeyType kSlhDsaShake128s = slh_dsa(
    "SLH-DSA-SHAKE-128s", "SLH-DSA-SHAKE-128s:id-slh-dsa-shake-128s:2.16.840.1.101.3.4.3.26",
    CKP_SLH_DSA_SHAKE_128S);
inline constexpr KeyType kSlhDsaShake128f = slh_dsa(
    "SLH-DSA-SHAKE-128f", "SLH-DSA-SHAKE-128f:id-slh-dsa-shake-128f:2.16.840.1.101.3.4.3.27",
    CKP_SLH_DSA_SHAKE_128F);
inline constexpr KeyType kSlhDsaShake192s = slh_dsa(
    "SLH-DSA-SHAKE-192s", "SLH-DSA-SHAKE-192s:id-slh-dsa-shake-192s:2.16.840.1.101.3.4.3.28",
    CKP_SLH_DSA_SHAKE_192S);
inline constexpr KeyType kSlhDsaShake192f = slh_dsa(
    "SLH-DSA-SHAKE-192f", "SLH-DSA-SHAKE-192f:id-slh-dsa-shake-192f:2.16.840.1.101.3.4.3.29",
    CKP_SLH_DSA_SHAKE_192F);
inline constexpr KeyType kSlhDsaShake256s = slh_dsa(
    "SLH-DSA-SHAKE-256s", "SLH-DSA-SHAKE-256s:id-slh-dsa-shake-256s:2.16.840.1.101.3.4.3.30",
    CKP_SLH_DSA_SHAKE_256S);
inline constexpr KeyType kSlhDsaShake256f = slh_dsa(
    "SLH-DSA-SHAKE-256f", "SLH-DSA-SHAKE-256f:id-slh-dsa-shake-256f:2.16.840.1.101.3.4.3.31",
    CKP_SLH_DSA_SHAKE_256F);

inline constexpr std::array kKeyTypes = {&kRsa,
                                         &kRsaPss,
                                         &kEc,
                                         &kEd25519,
                                         &kEd448,
                                         &kX25519,
                                         &kX448,
                                         &kMlDsa44,
                                         &kMlDsa65,
                                         &kMlDsa87,
                                         &kMlKem512,
                                         &kMlKem768,
                                         &kMlKem1024,
                                         &kSlhDsaSha2128s,
                                         &kSlhDsaSha2128f,
                                         &kSlhDsaSha2192s,
                                         &kSlhDsaSha2192f,
                                         &kSlhDsaSha2256s,
                                         &kSlhDsaSha2256f,
                                         &kSlhDsaShake128s,
                                         &kSlhDsaShake128f,
                                         &kSlhDsaShake192s,
                                         &kSlhDsaShake192f,
                                         &kSlhDsaShake256s,
                                         &kSlhDsaShake256f};

// Post-quantum keys from OpenSSL 3.5 on: libcrypto has nothing to do with them before, and the core
// takes longer to begin with every algorithm that it is told of.
inline bool offered(const KeyType& type) {
  return type.post_quantum == nullptr || OpenSSL_version_num() >= 0x30500000UL;
}
// body.operator()<type>() for each type that is offered.
template <typename Body, std::size_t... kIndex>
void for_each_type(Body& body, std::index_sequence<kIndex...> /*all*/) {
  (..., (offered(*kKeyTypes[kIndex]) ? body.template operator()<*kKeyTypes[kIndex]>() : void()));
}
template <typename Body>
void for_each_type(Body body) {
  for_each_type(body, std::make_index_sequence<kKeyTypes.size()>());
}

// The parameter of libcrypto that a post-quantum private key can be made from.
inline constexpr const char* kSeedParam = "seed";

// The type of a name; null where it is none of ours.
const KeyType* key_type(const char* name);
// Whether this libcrypto was built with the type.
bool libcrypto_has(const Context& context, const KeyType& type);

}  // namespace tallystick::provider
