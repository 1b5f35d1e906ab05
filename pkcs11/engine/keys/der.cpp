#include "pkcs11/engine/keys/der.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>

#include "core/crypto/handles.h"

namespace tallystick::token {
namespace {

using StringPtr = std::unique_ptr<ASN1_STRING, core::HandleDeleter<ASN1_STRING_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, core::HandleDeleter<ASN1_OBJECT_free>>;
using X509PubkeyPtr = std::unique_ptr<X509_PUBKEY, core::HandleDeleter<X509_PUBKEY_free>>;

template <typename T>
core::Bytes written(const T* value, int (*encode)(const T*, unsigned char**)) {
  const int size = encode(value, nullptr);
  if (size <= 0) return {};
  core::Bytes out(static_cast<std::size_t>(size));
  auto* cursor = out.data();
  (void)encode(value, &cursor);
  return out;
}

StringPtr string_of(int type, core::ByteView bytes) {
  StringPtr string(ASN1_STRING_type_new(type));
  if (string && ASN1_STRING_set(string.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return nullptr;
  }
  return string;
}

struct AlgorithmParameter {
  int type = V_ASN1_UNDEF;
  void* value = nullptr;
};

AlgorithmParameter curve_parameter(std::optional<int> curve_nid) {
  return curve_nid ? AlgorithmParameter{V_ASN1_OBJECT, OBJ_nid2obj(*curve_nid)}
                   : AlgorithmParameter{};
}

// Takes the identifier over.
Outcome<core::Bytes> info_of(ASN1_OBJECT* algorithm, const AlgorithmParameter& parameter,
                             core::ByteView key) {
  ObjectPtr owner(algorithm);
  const X509PubkeyPtr info(X509_PUBKEY_new());
  auto* const owned = static_cast<std::uint8_t*>(OPENSSL_memdup(key.data(), key.size()));
  if (!info || owned == nullptr || !owner ||
      X509_PUBKEY_set0_param(info.get(), owner.get(), parameter.type, parameter.value, owned,
                             static_cast<int>(key.size())) != 1) {
    OPENSSL_free(owned);
    return crypto_failed("SubjectPublicKeyInfo");
  }
  (void)owner.release();
  auto out = written<X509_PUBKEY>(info.get(), i2d_X509_PUBKEY);
  if (out.empty()) return crypto_failed("SubjectPublicKeyInfo");
  return out;
}

void free_all(ASN1_SEQUENCE_ANY* sequence) { sk_ASN1_TYPE_pop_free(sequence, ASN1_TYPE_free); }
using SequencePtr = std::unique_ptr<ASN1_SEQUENCE_ANY, core::HandleDeleter<free_all>>;

bool append_integer(ASN1_SEQUENCE_ANY* sequence, core::ByteView big_endian) {
  const core::BnPtr number(
      BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr));
  auto* const integer = number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr;
  auto* const element = ASN1_TYPE_new();
  if (integer == nullptr || element == nullptr) {
    ASN1_INTEGER_free(integer);
    ASN1_TYPE_free(element);
    return false;
  }
  ASN1_TYPE_set(element, V_ASN1_INTEGER, integer);
  if (sk_ASN1_TYPE_push(sequence, element) > 0) return true;
  ASN1_TYPE_free(element);
  return false;
}

}  // namespace

core::Bytes octet_string(core::ByteView bytes) {
  const auto string = string_of(V_ASN1_OCTET_STRING, bytes);
  return string ? written<ASN1_OCTET_STRING>(string.get(), i2d_ASN1_OCTET_STRING) : core::Bytes{};
}

core::Bytes bit_string(core::ByteView bytes) {
  const auto string = string_of(V_ASN1_BIT_STRING, bytes);
  if (!string) return {};
  // All bits count; otherwise trailing zeros are dropped.
  string->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
  string->flags |= ASN1_STRING_FLAG_BITS_LEFT;
  return written<ASN1_BIT_STRING>(string.get(), i2d_ASN1_BIT_STRING);
}

core::Bytes printable_string(std::string_view text) {
  const auto string = string_of(V_ASN1_PRINTABLESTRING, core::bytes_of(text));
  return string ? written<ASN1_PRINTABLESTRING>(string.get(), i2d_ASN1_PRINTABLESTRING)
                : core::Bytes{};
}

Outcome<core::Bytes> public_key_info(int algorithm_nid, std::optional<int> curve_nid,
                                     core::ByteView key) {
  return info_of(OBJ_nid2obj(algorithm_nid), curve_parameter(curve_nid), key);
}

Outcome<core::Bytes> public_key_info(const char* identifier, core::ByteView key) {
  return info_of(OBJ_txt2obj(identifier, 1), {}, key);
}

Outcome<core::Bytes> rsa_public_key_info(core::ByteView modulus, core::ByteView exponent) {
  const SequencePtr key(sk_ASN1_TYPE_new_null());
  if (!key || !append_integer(key.get(), modulus) || !append_integer(key.get(), exponent)) {
    return crypto_failed("RSAPublicKey");
  }
  const auto der = written<ASN1_SEQUENCE_ANY>(key.get(), i2d_ASN1_SEQUENCE_ANY);
  if (der.empty()) return crypto_failed("RSAPublicKey");
  return info_of(OBJ_nid2obj(NID_rsaEncryption), {V_ASN1_NULL, nullptr}, der);
}

core::Bytes object_identifier(int nid) {
  return written<ASN1_OBJECT>(OBJ_nid2obj(nid), i2d_ASN1_OBJECT);
}

}  // namespace tallystick::token
