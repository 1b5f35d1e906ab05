#include "core/crypto/internal/pkcs8_values.h"
#include "core/crypto/pkcs8.h"

namespace tallystick::core {
namespace {

using IntegerPtr = std::unique_ptr<ASN1_INTEGER, HandleDeleter<ASN1_STRING_clear_free>>;
using ElementPtr = std::unique_ptr<ASN1_TYPE, HandleDeleter<clear_and_free>>;

// Takes the value over when it succeeds.
template <typename Pointer>
bool append(const SequencePtr& sequence, int type, Pointer value) {
  ElementPtr element(ASN1_TYPE_new());
  if (!element || !value) return false;
  ASN1_TYPE_set(element.get(), type, value.release());
  if (sk_ASN1_TYPE_push(sequence.get(), element.get()) <= 0) return false;
  (void)element.release();
  return true;
}

bool append(const SequencePtr& sequence, const BIGNUM* number) {
  IntegerPtr integer(number != nullptr ? BN_to_ASN1_INTEGER(number, nullptr) : nullptr);
  return integer && append(sequence, V_ASN1_INTEGER, std::move(integer));
}

bool append_octets(const SequencePtr& sequence, ByteView bytes) {
  OctetsPtr octets(ASN1_OCTET_STRING_new());
  return octets &&
         ASN1_OCTET_STRING_set(octets.get(), bytes.data(), static_cast<int>(bytes.size())) == 1 &&
         append(sequence, V_ASN1_OCTET_STRING, std::move(octets));
}

template <typename T>
Result<Secret> der_of(const T* value, int (*encode)(const T*, unsigned char**)) {
  const int size = encode(value, nullptr);
  if (size <= 0) return crypto_error("DER");
  Secret out(static_cast<std::size_t>(size));
  auto* cursor = out.span().data();
  if (encode(value, &cursor) != size) return crypto_error("DER");
  return out;
}

BnPtr number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  const bool read = EVP_PKEY_get_bn_param(key, name, &number) == 1;
  BnPtr owner(number);
  return read ? std::move(owner) : nullptr;
}

Result<Secret> rsa_der(const EVP_PKEY* key) {
  const SequencePtr sequence(sk_ASN1_TYPE_new_null());
  const BnPtr version(BN_new());
  bool all = sequence && version && append(sequence, version.get());
  for (const auto* const name : kRsaNumbers) {
    all = all && append(sequence, number_of(key, name).get());
  }
  if (!all) return crypto_error("RSA private key");
  return der_of<ASN1_SEQUENCE_ANY>(sequence.get(), i2d_ASN1_SEQUENCE_ANY);
}

// The curve's number in libcrypto, or NID_undef.
int curve_of(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1) return NID_undef;
  return OBJ_txt2nid(group.data());
}

Bytes point_of(const EVP_PKEY* key) {
  std::size_t size = 0;
  (void)EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0, &size);
  Bytes point(size);
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                      &size) != 1) {
    return {};
  }
  return point;
}

// [1] EXPLICIT BIT STRING, whole.
OctetsPtr tagged_point(ByteView point) {
  const BitsPtr bits(ASN1_BIT_STRING_new());
  if (!bits || ASN1_BIT_STRING_set(bits.get(), const_cast<std::uint8_t*>(point.data()),
                                   static_cast<int>(point.size())) != 1) {
    return nullptr;
  }
  // All bits count; otherwise trailing zeros are dropped.
  bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
  bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
  const int inner = i2d_ASN1_BIT_STRING(bits.get(), nullptr);
  const int whole = ASN1_object_size(1, inner, 1);
  if (inner <= 0 || whole <= 0) return nullptr;
  Bytes der(static_cast<std::size_t>(whole));
  auto* cursor = der.data();
  ASN1_put_object(&cursor, 1, inner, 1, V_ASN1_CONTEXT_SPECIFIC);
  (void)i2d_ASN1_BIT_STRING(bits.get(), &cursor);
  OctetsPtr out(ASN1_STRING_type_new(V_ASN1_OTHER));
  if (!out || ASN1_STRING_set(out.get(), der.data(), whole) != 1) return nullptr;
  return out;
}

// ECPrivateKey (RFC 5915) without parameters: the algorithm has them.
Result<Secret> ec_der(const EVP_PKEY* key) {
  const auto number = number_of(key, OSSL_PKEY_PARAM_PRIV_KEY);
  if (!number) return crypto_error("EC private key");
  Secret scalar(static_cast<std::size_t>((EVP_PKEY_get_bits(key) + 7) / 8));
  const SequencePtr sequence(sk_ASN1_TYPE_new_null());
  const auto encoded = point_of(key);
  auto point = encoded.empty() ? nullptr : tagged_point(encoded);
  if (!sequence || !point ||
      BN_bn2binpad(number.get(), scalar.span().data(), static_cast<int>(scalar.size())) < 0 ||
      !append(sequence, BN_value_one()) || !append_octets(sequence, scalar.view()) ||
      !append(sequence, V_ASN1_OTHER, std::move(point))) {
    return crypto_error("EC private key");
  }
  return der_of<ASN1_SEQUENCE_ANY>(sequence.get(), i2d_ASN1_SEQUENCE_ANY);
}

// CurvePrivateKey (RFC 8410).
Result<Secret> raw_der(const EVP_PKEY* key) {
  std::size_t size = 0;
  if (EVP_PKEY_get_raw_private_key(key, nullptr, &size) != 1) return crypto_error("private key");
  Secret raw(size);
  const OctetsPtr octets(ASN1_OCTET_STRING_new());
  if (!octets || EVP_PKEY_get_raw_private_key(key, raw.span().data(), &size) != 1 ||
      ASN1_OCTET_STRING_set(octets.get(), raw.view().data(), static_cast<int>(size)) != 1) {
    return crypto_error("private key");
  }
  return der_of<ASN1_OCTET_STRING>(octets.get(), i2d_ASN1_OCTET_STRING);
}

// The structures that are known here; NID_undef for those that libcrypto itself writes.
int algorithm_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC") == 1) return NID_X9_62_id_ecPublicKey;
  const bool two_primes = number_of(key, OSSL_PKEY_PARAM_RSA_FACTOR3) == nullptr;
  forget_crypto_errors();
  if (EVP_PKEY_is_a(key, "RSA") == 1 && two_primes) return NID_rsaEncryption;
  for (const auto& raw : kRawKeys) {
    if (EVP_PKEY_is_a(key, OBJ_nid2sn(raw.nid)) == 1) return raw.nid;
  }
  return NID_undef;
}

}  // namespace

Result<Secret> pkcs8_der(const EVP_PKEY* key) {
  const int nid = algorithm_of(key);
  const bool rsa = nid == NID_rsaEncryption;
  const bool ec = nid == NID_X9_62_id_ecPublicKey;
  // Of an EC key libcrypto tells it when there is memory.
  const int curve = ec ? curve_of(key) : NID_undef;
  if (ec && curve == NID_undef) return crypto_error("EC curve");
  if (nid == NID_undef) {
    const Pkcs8Ptr info(EVP_PKEY2PKCS8(key));
    if (!info) return crypto_error("PKCS#8");
    return der_of<PKCS8_PRIV_KEY_INFO>(info.get(), i2d_PKCS8_PRIV_KEY_INFO);
  }
  auto inner = rsa ? rsa_der(key) : ec ? ec_der(key) : raw_der(key);
  if (!inner) return inner;
  const Pkcs8Ptr info(PKCS8_PRIV_KEY_INFO_new());
  auto* const owned =
      static_cast<std::uint8_t*>(OPENSSL_memdup(inner->view().data(), inner->size()));
  // What it has taken over it wipes when it goes.
  if (!info || owned == nullptr ||
      PKCS8_pkey_set0(info.get(), OBJ_nid2obj(nid), 0,
                      rsa  ? V_ASN1_NULL
                      : ec ? V_ASN1_OBJECT
                           : V_ASN1_UNDEF,
                      ec ? OBJ_nid2obj(curve) : nullptr, owned,
                      static_cast<int>(inner->size())) != 1) {
    OPENSSL_clear_free(owned, inner->size());
    return crypto_error("PKCS#8");
  }
  return der_of<PKCS8_PRIV_KEY_INFO>(info.get(), i2d_PKCS8_PRIV_KEY_INFO);
}

}  // namespace tallystick::core
