#include "pkcs11/engine/keys/ec_key.h"

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

#include "core/crypto/curve_oids.h"
#include "pkcs11/engine/keys/der.h"

namespace tallystick::token {
namespace {

using ParamBuildPtr = std::unique_ptr<OSSL_PARAM_BLD, core::HandleDeleter<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, core::HandleDeleter<OSSL_PARAM_free>>;
using OidPtr = std::unique_ptr<ASN1_OBJECT, core::HandleDeleter<ASN1_OBJECT_free>>;

// A curve is one line here.
const std::array<EcCurve, 3>& curves() {
  static constexpr std::array<EcCurve, 3> kCurves = {{
      {NID_X9_62_prime256v1, "P-256", 32, 32, 256, core::ByteView(core::kP256Oid)},
      {NID_secp384r1, "P-384", 48, 48, 384, core::ByteView(core::kP384Oid)},
      {NID_secp521r1, "P-521", 66, 66, 521, core::ByteView(core::kP521Oid)},
  }};
  return kCurves;
}

constexpr std::uint8_t kUncompressed = 4;

Outcome<SharedPkey> assemble(const core::Crypto& crypto, const EcCurve& curve, core::ByteView point,
                             const BIGNUM* scalar) {
  const ParamBuildPtr build(OSSL_PARAM_BLD_new());
  if (!build ||
      OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1 ||
      (scalar != nullptr &&
       OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar) != 1)) {
    return crypto_failed("EC key");
  }
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(build.get()));
  const auto context = core::key_context(crypto.lib(), core::KeyAlgorithm::kEc);
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key,
                        scalar != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                        params.get()) != 1) {
    forget_errors();
    return bad_value("not a key on its curve");
  }
  return share(core::PkeyPtr(key));
}

Outcome<const EcCurve*> wanted_curve(const Template& wanted) {
  const auto params = wanted.find(CKA_EC_PARAMS);
  if (!params) return incomplete_template("CKA_EC_PARAMS is missing");
  return find_curve(*params);
}

Draft draft_of(const SharedPkey& key, CK_OBJECT_CLASS object_class, const EcCurve& curve,
               const core::Bytes& info) {
  Draft draft;
  draft.attributes.set_number(CKA_CLASS, object_class).set_number(CKA_KEY_TYPE, CKK_EC);
  draft.attributes.set(CKA_EC_PARAMS, curve.oid).set(CKA_PUBLIC_KEY_INFO, info);
  draft.pkey = key;
  return draft;
}

}  // namespace

Outcome<const EcCurve*> find_curve(core::ByteView ec_params) {
  for (const auto& curve : curves()) {
    if (std::ranges::equal(curve.oid, ec_params)) return &curve;
  }
  const auto* cursor = ec_params.data();
  const OidPtr oid(ec_params.empty()
                       ? nullptr
                       : d2i_ASN1_OBJECT(nullptr, &cursor, static_cast<long>(ec_params.size())));
  forget_errors();
  if (oid && cursor == ec_params.data() + ec_params.size()) {
    return fault(CKR_CURVE_NOT_SUPPORTED, "a curve that is not offered");
  }
  return fault(CKR_DOMAIN_PARAMS_INVALID, "CKA_EC_PARAMS does not name a curve");
}

const EcCurve* curve_of(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1) return nullptr;
  const int nid = OBJ_sn2nid(group.data());
  const auto& all = curves();
  const auto* const at = std::ranges::find(all, nid, &EcCurve::nid);
  return at == all.end() ? nullptr : at;
}

Outcome<core::Bytes> ec_point(const EVP_PKEY* key) {
  const auto* const curve = curve_of(key);
  if (curve == nullptr) return wrong_key_type("not an EC key on an offered curve");
  core::Bytes point(1 + 2 * curve->field_size);
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                      &size) == 1 &&
      size == point.size() && point[0] == kUncompressed) {
    return point;
  }
  // A key that came in PKCS#8 may keep its point compressed. The coordinates cost more to ask for.
  point[0] = kUncompressed;
  auto* out = point.data() + 1;
  for (const char* const name : {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y}) {
    BIGNUM* number = nullptr;
    const bool read = EVP_PKEY_get_bn_param(key, name, &number) == 1;
    const core::BnPtr owner(number);
    if (!read || BN_bn2binpad(number, out, static_cast<int>(curve->field_size)) < 0) {
      return crypto_failed("EC point");
    }
    out += curve->field_size;
  }
  return point;
}

Outcome<core::ByteView> ec_point_in(const EcCurve& curve, core::ByteView value) {
  const auto not_a_point = [] { return bad_value("not an uncompressed point of the curve"); };
  const auto size = 1 + 2 * curve.field_size;
  if (value.size() < size) return not_a_point();
  const auto point = value.last(size);
  const bool whole = value.size() == size || std::ranges::equal(octet_string(point), value);
  if (!whole || point[0] != kUncompressed) return not_a_point();
  return point;
}

Outcome<SharedPkey> ec_public_key(const core::Crypto& crypto, const EcCurve& curve,
                                  core::ByteView point) {
  // libcrypto checks that the point is on the curve; the cofactors are 1.
  return assemble(crypto, curve, point, nullptr);
}

Outcome<SharedPkey> ec_private_key(const core::Crypto& crypto, const EcCurve& curve,
                                   core::ByteView scalar) {
  const core::EcGroupPtr group(EC_GROUP_new_by_curve_name_ex(crypto.lib(), nullptr, curve.nid));
  const core::BnCtxPtr work(BN_CTX_secure_new_ex(crypto.lib()));
  const core::BnPtr number(BN_secure_new());
  if (!group || !work || !number) return crypto_failed("EC key");
  // Leading zeros may have been cut or added on the way here.
  if (scalar.empty() || scalar.size() > 2 * curve.order_size ||
      BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), number.get()) == nullptr ||
      BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) >= 0) {
    forget_errors();
    return bad_value("not a private key of the curve");
  }
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  const core::EcPointPtr point(EC_POINT_new(group.get()));
  core::Bytes encoded(1 + 2 * curve.field_size);
  if (!point ||
      EC_POINT_mul(group.get(), point.get(), number.get(), nullptr, nullptr, work.get()) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(),
                         encoded.size(), work.get()) != encoded.size()) {
    return crypto_failed("EC key");
  }
  return assemble(crypto, curve, encoded, number.get());
}

Outcome<SharedPkey> generate_ec_key(const core::Crypto& crypto, const EcCurve& curve) {
  // From parameters that are made once: looking the curve up by its name costs as much as the key.
  auto key = crypto.generate_ec_key(curve.nid);
  if (!key) return crypto_failed("EC key generation");
  return share(std::move(key));
}

namespace {

// What both halves of a key say of it.
struct PublicParts {
  const EcCurve* curve;
  core::Bytes point;
  core::Bytes info;
};

Outcome<PublicParts> public_parts(const EVP_PKEY* key) {
  auto point = ec_point(key);
  if (!point) return std::move(point).error();
  // It has one, because only a key on an offered curve has a point; libcrypto tells it when there
  // is memory.
  const auto* const curve = curve_of(key);
  if (curve == nullptr) return crypto_failed("EC curve");
  auto info = public_key_info(NID_X9_62_id_ecPublicKey, curve->nid, *point);
  if (!info) return std::move(info).error();
  return PublicParts{curve, *std::move(point), *std::move(info)};
}

Draft public_draft(const SharedPkey& key, const PublicParts& parts) {
  auto draft = draft_of(key, CKO_PUBLIC_KEY, *parts.curve, parts.info);
  draft.attributes.set(CKA_EC_POINT, octet_string(parts.point));
  return draft;
}

Outcome<Draft> private_draft(const SharedPkey& key, const PublicParts& parts) {
  BIGNUM* number = nullptr;
  const bool read = EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1;
  const core::BnPtr owner(number);
  core::Secret scalar(parts.curve->order_size);
  if (!read || BN_bn2binpad(number, scalar.span().data(), static_cast<int>(scalar.size())) < 0) {
    return crypto_failed("EC private key");
  }
  auto draft = draft_of(key, CKO_PRIVATE_KEY, *parts.curve, parts.info);
  draft.value = share(std::move(scalar));
  return draft;
}

}  // namespace

Outcome<Draft> ec_public_draft(const SharedPkey& key) {
  auto parts = public_parts(key.get());
  if (!parts) return std::move(parts).error();
  return public_draft(key, *parts);
}

Outcome<Draft> ec_private_draft(const SharedPkey& key) {
  auto parts = public_parts(key.get());
  if (!parts) return std::move(parts).error();
  return private_draft(key, *parts);
}

Outcome<ProducedPair> ec_pair_drafts(const SharedPkey& key) {
  auto parts = public_parts(key.get());
  if (!parts) return std::move(parts).error();
  auto private_half = private_draft(key, *parts);
  if (!private_half) return std::move(private_half).error();
  return ProducedPair{public_draft(key, *parts), *std::move(private_half)};
}

Outcome<Draft> import_ec_public(const core::Crypto& crypto, const Template& wanted) {
  auto curve = wanted_curve(wanted);
  if (!curve) return std::move(curve).error();
  const auto encoded = wanted.find(CKA_EC_POINT);
  if (!encoded) return incomplete_template("CKA_EC_POINT is missing");
  auto point = ec_point_in(**curve, *encoded);
  if (!point) return std::move(point).error();
  auto key = ec_public_key(crypto, **curve, *point);
  if (!key) return std::move(key).error();
  return ec_public_draft(*key);
}

Outcome<Draft> import_ec_private(const core::Crypto& crypto, const Template& wanted) {
  auto curve = wanted_curve(wanted);
  if (!curve) return std::move(curve).error();
  const auto scalar = wanted.find(CKA_VALUE);
  if (!scalar) return incomplete_template("CKA_VALUE is missing");
  auto key = ec_private_key(crypto, **curve, *scalar);
  if (!key) return std::move(key).error();
  return ec_private_draft(*key);
}

Outcome<SharedPkey> parse_ec_key(const core::Crypto& crypto, const AttributeSet& attributes,
                                 core::ByteView value) {
  auto curve = find_curve(attributes.bytes(CKA_EC_PARAMS));
  if (!curve) return std::move(curve).error();
  if (attributes.number(CKA_CLASS) == CKO_PRIVATE_KEY) {
    return ec_private_key(crypto, **curve, value);
  }
  const auto point = ec_point_in(**curve, attributes.bytes(CKA_EC_POINT));
  if (!point) return fault(CKR_DEVICE_ERROR, "a stored public key is damaged");
  return ec_public_key(crypto, **curve, *point);
}

}  // namespace tallystick::token
