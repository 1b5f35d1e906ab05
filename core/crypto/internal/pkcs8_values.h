// What both directions of PKCS#8 share: libcrypto's ASN.1 values, wiped when they go, and which
// keys are known by their structure.
#pragma once

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/objects.h>

#include <array>

#include "core/crypto/handles.h"
#include "core/crypto/key_context.h"

namespace tallystick::core {

using OctetsPtr = std::unique_ptr<ASN1_OCTET_STRING, HandleDeleter<ASN1_STRING_clear_free>>;
using BitsPtr = std::unique_ptr<ASN1_BIT_STRING, HandleDeleter<ASN1_BIT_STRING_free>>;

inline void clear_and_free(ASN1_TYPE* value) {
  // All that stands in the sequences here is a string to libcrypto, integers too.
  if (value->type != V_ASN1_NULL && value->type != V_ASN1_BOOLEAN && value->type != V_ASN1_OBJECT &&
      value->value.asn1_string != nullptr) {
    auto* const string = value->value.asn1_string;
    OPENSSL_cleanse(string->data, static_cast<std::size_t>(string->length));
  }
  ASN1_TYPE_free(value);
}
inline void clear_and_free_all(ASN1_SEQUENCE_ANY* sequence) {
  sk_ASN1_TYPE_pop_free(sequence, clear_and_free);
}
using SequencePtr = std::unique_ptr<ASN1_SEQUENCE_ANY, HandleDeleter<clear_and_free_all>>;

// In the order of RSAPrivateKey (RFC 8017), after the version.
inline constexpr std::array<const char*, 8> kRsaNumbers = {
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,           OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,     OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};

struct RawKey {
  int nid;
  KeyAlgorithm algorithm;
};
inline constexpr std::array<RawKey, 4> kRawKeys = {{{NID_ED25519, KeyAlgorithm::kEd25519},
                                                    {NID_ED448, KeyAlgorithm::kEd448},
                                                    {NID_X25519, KeyAlgorithm::kX25519},
                                                    {NID_X448, KeyAlgorithm::kX448}}};

}  // namespace tallystick::core
