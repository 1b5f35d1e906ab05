#include <openssl/param_build.h>
#include <openssl/params.h>

#include "core/crypto/internal/pkcs8_values.h"
#include "core/crypto/pkcs8.h"

namespace tallystick::core {
namespace {

using ParamBuildPtr = std::unique_ptr<OSSL_PARAM_BLD, HandleDeleter<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, HandleDeleter<OSSL_PARAM_free>>;

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
  for (const auto& raw : kRawKeys) {
    if (nid == raw.nid) return raw_key(crypto, raw.algorithm, der);
  }
  return PkeyPtr(EVP_PKCS82PKEY_ex(info, crypto.lib(), nullptr));
}

}  // namespace

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
