#include "core/crypto/pkcs8.h"

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

namespace tallystick::core {
namespace {

using IntegerPtr = std::unique_ptr<ASN1_INTEGER, HandleDeleter<ASN1_STRING_clear_free>>;
using OctetsPtr = std::unique_ptr<ASN1_OCTET_STRING, HandleDeleter<ASN1_STRING_clear_free>>;
using BitsPtr = std::unique_ptr<ASN1_BIT_STRING, HandleDeleter<ASN1_BIT_STRING_free>>;
using ParamBuildPtr = std::unique_ptr<OSSL_PARAM_BLD, HandleDeleter<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, HandleDeleter<OSSL_PARAM_free>>;

void clear_and_free(ASN1_TYPE* value) {
  // All that stands in the sequences here is a string to libcrypto, integers too.
  if (value->type != V_ASN1_NULL && value->type != V_ASN1_BOOLEAN && value->type != V_ASN1_OBJECT &&
      value->value.asn1_string != nullptr) {
    auto* const string = value->value.asn1_string;
    OPENSSL_cleanse(string->data, static_cast<std::size_t>(string->length));
  }
  ASN1_TYPE_free(value);
}
void clear_and_free_all(ASN1_SEQUENCE_ANY* sequence) {
  sk_ASN1_TYPE_pop_free(sequence, clear_and_free);
}
using SequencePtr = std::unique_ptr<ASN1_SEQUENCE_ANY, HandleDeleter<clear_and_free_all>>;

// Takes the value over.
bool append(const SequencePtr& sequence, int type, void* value) {
  auto* const element = ASN1_TYPE_new();
  if (element == nullptr || value == nullptr) return false;
  ASN1_TYPE_set(element, type, value);
  if (sk_ASN1_TYPE_push(sequence.get(), element) > 0) return true;
  clear_and_free(element);
  return false;
}

bool append(const SequencePtr& sequence, const BIGNUM* number) {
  IntegerPtr integer(number != nullptr ? BN_to_ASN1_INTEGER(number, nullptr) : nullptr);
  return integer && append(sequence, V_ASN1_INTEGER, integer.release());
}

bool append_octets(const SequencePtr& sequence, ByteView bytes) {
  OctetsPtr octets(ASN1_OCTET_STRING_new());
  return octets &&
         ASN1_OCTET_STRING_set(octets.get(), bytes.data(), static_cast<int>(bytes.size())) == 1 &&
         append(sequence, V_ASN1_OCTET_STRING, octets.release());
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

// In the order of RSAPrivateKey (RFC 8017), after the version.
constexpr std::array<const char*, 8> kRsaNumbers = {
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,           OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,     OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};

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
  auto point = tagged_point(point_of(key));
  if (!sequence || !point ||
      BN_bn2binpad(number.get(), scalar.span().data(), static_cast<int>(scalar.size())) < 0 ||
      !append(sequence, BN_value_one()) || !append_octets(sequence, scalar.view()) ||
      !append(sequence, V_ASN1_OTHER, point.release())) {
    return crypto_error("EC private key");
  }
  return der_of<ASN1_SEQUENCE_ANY>(sequence.get(), i2d_ASN1_SEQUENCE_ANY);
}

struct Raw {
  int nid;
  KeyAlgorithm algorithm;
};
constexpr std::array<Raw, 4> kRaw = {{{NID_ED25519, KeyAlgorithm::kEd25519},
                                      {NID_ED448, KeyAlgorithm::kEd448},
                                      {NID_X25519, KeyAlgorithm::kX25519},
                                      {NID_X448, KeyAlgorithm::kX448}}};

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
  for (const auto& raw : kRaw) {
    if (EVP_PKEY_is_a(key, OBJ_nid2sn(raw.nid)) == 1) return raw.nid;
  }
  return NID_undef;
}

// ---- and back ----

PkeyPtr from_params(const Crypto& crypto, KeyAlgorithm algorithm, const ParamBuildPtr& build) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(build.get()));
  const auto context = key_context(crypto.lib(), algorithm);
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) != 1) {
    return nullptr;
  }
  return PkeyPtr(key);
}

SequencePtr sequence_in(ByteView der) {
  const auto* cursor = der.data();
  SequencePtr sequence(d2i_ASN1_SEQUENCE_ANY(nullptr, &cursor, static_cast<long>(der.size())));
  return cursor == der.data() + der.size() ? std::move(sequence) : nullptr;
}

const ASN1_STRING* element(const SequencePtr& sequence, int at, int type) {
  const auto* const value = sk_ASN1_TYPE_value(sequence.get(), at);
  return value != nullptr && value->type == type ? value->value.asn1_string : nullptr;
}

BnPtr number_at(const SequencePtr& sequence, int at) {
  const auto* const integer = element(sequence, at, V_ASN1_INTEGER);
  BnPtr number(BN_secure_new());
  if (integer == nullptr || !number || ASN1_INTEGER_to_BN(integer, number.get()) == nullptr) {
    return nullptr;
  }
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

PkeyPtr rsa_key(const Crypto& crypto, ByteView der) {
  const auto sequence = sequence_in(der);
  // More elements are more primes.
  if (!sequence || sk_ASN1_TYPE_num(sequence.get()) != 1 + static_cast<int>(kRsaNumbers.size())) {
    return nullptr;
  }
  const auto version = number_at(sequence, 0);
  const ParamBuildPtr build(OSSL_PARAM_BLD_new());
  bool all = build && version && BN_is_zero(version.get());
  std::array<BnPtr, kRsaNumbers.size()> numbers;
  for (std::size_t i = 0; all && i < numbers.size(); ++i) {
    numbers[i] = number_at(sequence, 1 + static_cast<int>(i));
    all = numbers[i] && OSSL_PARAM_BLD_push_BN(build.get(), kRsaNumbers[i], numbers[i].get()) == 1;
  }
  return all ? from_params(crypto, KeyAlgorithm::kRsa, build) : nullptr;
}

// The public key that a private key comes with; empty where it comes with none.
Bytes point_in(const SequencePtr& sequence) {
  for (int at = 2; at < sk_ASN1_TYPE_num(sequence.get()); ++at) {
    const auto* const other = element(sequence, at, V_ASN1_OTHER);
    if (other == nullptr) continue;
    const auto* cursor = ASN1_STRING_get0_data(other);
    const auto* const end = cursor + ASN1_STRING_length(other);
    long length = 0;
    int tag = 0;
    int tag_class = 0;
    const auto form = ASN1_get_object(&cursor, &length, &tag, &tag_class, end - cursor);
    if (form != V_ASN1_CONSTRUCTED || tag_class != V_ASN1_CONTEXT_SPECIFIC || tag != 1) continue;
    const BitsPtr bits(d2i_ASN1_BIT_STRING(nullptr, &cursor, length));
    if (bits && cursor == end) return {bits->data, bits->data + bits->length};
  }
  return {};
}

PkeyPtr ec_key(const Crypto& crypto, const X509_ALGOR* algorithm, ByteView der) {
  int type = V_ASN1_UNDEF;
  const void* parameter = nullptr;
  X509_ALGOR_get0(nullptr, &type, &parameter, algorithm);
  if (type != V_ASN1_OBJECT) return nullptr;
  const int nid = OBJ_obj2nid(static_cast<const ASN1_OBJECT*>(parameter));
  const EcGroupPtr group(EC_GROUP_new_by_curve_name_ex(crypto.lib(), nullptr, nid));
  const auto sequence = sequence_in(der);
  const auto* const octets = sequence ? element(sequence, 1, V_ASN1_OCTET_STRING) : nullptr;
  const auto version = sequence ? number_at(sequence, 0) : nullptr;
  const BnPtr scalar(BN_secure_new());
  const BnCtxPtr work(BN_CTX_secure_new_ex(crypto.lib()));
  const EcPointPtr point(group ? EC_POINT_new(group.get()) : nullptr);
  if (!point || octets == nullptr || !version || !BN_is_one(version.get()) || !scalar || !work ||
      BN_bin2bn(ASN1_STRING_get0_data(octets), ASN1_STRING_length(octets), scalar.get()) ==
          nullptr ||
      BN_is_zero(scalar.get()) || BN_cmp(scalar.get(), EC_GROUP_get0_order(group.get())) >= 0) {
    return nullptr;
  }
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  const auto given = point_in(sequence);
  const EcPointPtr expected(EC_POINT_new(group.get()));
  if (!expected ||
      EC_POINT_mul(group.get(), point.get(), scalar.get(), nullptr, nullptr, work.get()) != 1 ||
      (!given.empty() &&
       (EC_POINT_oct2point(group.get(), expected.get(), given.data(), given.size(), work.get()) !=
            1 ||
        EC_POINT_cmp(group.get(), point.get(), expected.get(), work.get()) != 0))) {
    return nullptr;
  }
  Bytes encoded(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, nullptr,
                                   0, work.get()));
  const ParamBuildPtr build(OSSL_PARAM_BLD_new());
  if (EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(),
                         encoded.size(), work.get()) != encoded.size() ||
      encoded.empty() || !build ||
      OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, OBJ_nid2sn(nid),
                                      0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(),
                                       encoded.size()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get()) != 1) {
    return nullptr;
  }
  return from_params(crypto, KeyAlgorithm::kEc, build);
}

PkeyPtr raw_key(const Crypto& crypto, KeyAlgorithm algorithm, ByteView der) {
  const auto* cursor = der.data();
  const OctetsPtr octets(d2i_ASN1_OCTET_STRING(nullptr, &cursor, static_cast<long>(der.size())));
  if (!octets || cursor != der.data() + der.size()) return nullptr;
  return PkeyPtr(EVP_PKEY_new_raw_private_key_ex(
      crypto.lib(), provider_name(algorithm), nullptr, ASN1_STRING_get0_data(octets.get()),
      static_cast<std::size_t>(ASN1_STRING_length(octets.get()))));
}

PkeyPtr key_in(const Crypto& crypto, const PKCS8_PRIV_KEY_INFO* info) {
  const ASN1_OBJECT* identifier = nullptr;
  const unsigned char* bytes = nullptr;
  int size = 0;
  const X509_ALGOR* algorithm = nullptr;
  if (PKCS8_pkey_get0(&identifier, &bytes, &size, &algorithm, info) != 1) return nullptr;
  const ByteView der(bytes, static_cast<std::size_t>(size));
  const int nid = OBJ_obj2nid(identifier);
  if (nid == NID_rsaEncryption) return rsa_key(crypto, der);
  if (nid == NID_X9_62_id_ecPublicKey) return ec_key(crypto, algorithm, der);
  for (const auto& raw : kRaw) {
    if (nid == raw.nid) return raw_key(crypto, raw.algorithm, der);
  }
  return PkeyPtr(EVP_PKCS82PKEY_ex(info, crypto.lib(), nullptr));
}

}  // namespace

Result<Secret> pkcs8_der(const EVP_PKEY* key) {
  const int nid = algorithm_of(key);
  const bool rsa = nid == NID_rsaEncryption;
  const bool ec = nid == NID_X9_62_id_ecPublicKey;
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
                      ec ? OBJ_nid2obj(curve_of(key)) : nullptr, owned,
                      static_cast<int>(inner->size())) != 1) {
    OPENSSL_clear_free(owned, inner->size());
    return crypto_error("PKCS#8");
  }
  return der_of<PKCS8_PRIV_KEY_INFO>(info.get(), i2d_PKCS8_PRIV_KEY_INFO);
}

Result<PkeyPtr> parse_pkcs8(const Crypto& crypto, ByteView der) {
  const auto* cursor = der.data();
  const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(der.size())));
  PkeyPtr key;
  if (info && cursor == der.data() + der.size()) key = key_in(crypto, info.get());
  if (!key) {
    forget_crypto_errors();
    return Error{ErrorCode::kMalformed, "not a private key in PKCS#8", 0};
  }
  return key;
}

}  // namespace tallystick::core
