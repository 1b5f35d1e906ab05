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

// Takes the identifier over.
Outcome<core::Bytes> info_of(ASN1_OBJECT* algorithm, std::optional<int> curve_nid,
                             core::ByteView key) {
  ObjectPtr owner(algorithm);
  const X509PubkeyPtr info(X509_PUBKEY_new());
  auto* const owned = static_cast<std::uint8_t*>(OPENSSL_memdup(key.data(), key.size()));
  if (!info || owned == nullptr || !owner ||
      X509_PUBKEY_set0_param(info.get(), owner.get(), curve_nid ? V_ASN1_OBJECT : V_ASN1_UNDEF,
                             curve_nid ? OBJ_nid2obj(*curve_nid) : nullptr, owned,
                             static_cast<int>(key.size())) != 1) {
    OPENSSL_free(owned);
    return crypto_failed("SubjectPublicKeyInfo");
  }
  (void)owner.release();
  auto out = written<X509_PUBKEY>(info.get(), i2d_X509_PUBKEY);
  if (out.empty()) return crypto_failed("SubjectPublicKeyInfo");
  return out;
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
  return info_of(OBJ_nid2obj(algorithm_nid), curve_nid, key);
}

Outcome<core::Bytes> public_key_info(const char* identifier, core::ByteView key) {
  return info_of(OBJ_txt2obj(identifier, 1), std::nullopt, key);
}

core::Bytes object_identifier(int nid) {
  return written<ASN1_OBJECT>(OBJ_nid2obj(nid), i2d_ASN1_OBJECT);
}

}  // namespace tallystick::token
