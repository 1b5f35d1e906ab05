#include "pkcs11/engine/keys/ecx_key.h"

#include <openssl/objects.h>

#include <algorithm>
#include <array>

#include "core/crypto/curve_oids.h"
#include "pkcs11/engine/keys/der.h"

namespace tallystick::token {
namespace {

// 1.3.6.1.4.1.11591.15.1 and 1.3.6.1.4.1.3029.1.5.1, from before RFC 8410.
constexpr auto kOldEd25519Oid =
    std::to_array<std::uint8_t>({0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01});
constexpr auto kOldX25519Oid = std::to_array<std::uint8_t>(
    {0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x97, 0x55, 0x01, 0x05, 0x01});

// The name as pkcs11-tool 0.23 writes it, with one byte too few for the length it says.
constexpr auto kCutCurve25519 =
    std::to_array<std::uint8_t>({0x13, 0x0b, 'c', 'u', 'r', 'v', 'e', '2', '5', '5', '1', '9'});

// A curve is one line here.
const std::array<EcxCurve, 4>& curves() {
  static constexpr std::array<EcxCurve, 4> kCurves = {{
      {CKK_EC_EDWARDS,
       NID_ED25519,
       core::KeyAlgorithm::kEd25519,
       "edwards25519",
       32,
       64,
       128,
       core::kEd25519Oid,
       {core::ByteView(kOldEd25519Oid)}},
      {CKK_EC_EDWARDS,
       NID_ED448,
       core::KeyAlgorithm::kEd448,
       "edwards448",
       57,
       114,
       224,
       core::kEd448Oid,
       {}},
      {CKK_EC_MONTGOMERY,
       NID_X25519,
       core::KeyAlgorithm::kX25519,
       "curve25519",
       32,
       0,
       128,
       core::kX25519Oid,
       {core::ByteView(kOldX25519Oid), core::ByteView(kCutCurve25519)}},
      {CKK_EC_MONTGOMERY,
       NID_X448,
       core::KeyAlgorithm::kX448,
       "curve448",
       56,
       0,
       224,
       core::kX448Oid,
       {}},
  }};
  return kCurves;
}

Outcome<const EcxCurve*> wanted_curve(CK_KEY_TYPE key_type, const Template& wanted) {
  const auto params = wanted.find(CKA_EC_PARAMS);
  if (!params) return incomplete_template("CKA_EC_PARAMS is missing");
  return find_ecx_curve(key_type, *params);
}

// What both halves of a key say of it.
struct PublicParts {
  const EcxCurve* curve;
  core::Bytes point;
  core::Bytes info;
};

Outcome<PublicParts> public_parts(CK_KEY_TYPE key_type, const EVP_PKEY* key) {
  const auto* const curve = std::ranges::find_if(curves(), [&](const EcxCurve& one) {
    return one.key_type == key_type && EVP_PKEY_is_a(key, core::provider_name(one.algorithm)) == 1;
  });
  if (curve == curves().end()) return wrong_key_type("not a key on a curve of this type");
  core::Bytes point(curve->size);
  std::size_t size = point.size();
  if (EVP_PKEY_get_raw_public_key(key, point.data(), &size) != 1 || size != point.size()) {
    return crypto_failed("public key");
  }
  auto info = public_key_info(curve->nid, std::nullopt, point);
  if (!info) return std::move(info).error();
  return PublicParts{curve, std::move(point), *std::move(info)};
}

Draft draft_of(const SharedPkey& key, CK_OBJECT_CLASS object_class, const PublicParts& parts) {
  Draft draft;
  draft.attributes.set_number(CKA_CLASS, object_class)
      .set_number(CKA_KEY_TYPE, parts.curve->key_type);
  draft.attributes.set(CKA_EC_PARAMS, parts.curve->oid).set(CKA_PUBLIC_KEY_INFO, parts.info);
  draft.pkey = key;
  return draft;
}

Draft public_draft(const SharedPkey& key, const PublicParts& parts) {
  auto draft = draft_of(key, CKO_PUBLIC_KEY, parts);
  // The form that old and new tools read.
  draft.attributes.set(CKA_EC_POINT, octet_string(parts.point));
  return draft;
}

Outcome<Draft> private_draft(const SharedPkey& key, const PublicParts& parts) {
  core::Secret value(parts.curve->size);
  std::size_t size = value.size();
  if (EVP_PKEY_get_raw_private_key(key.get(), value.span().data(), &size) != 1 ||
      size != value.size()) {
    return crypto_failed("private key");
  }
  auto draft = draft_of(key, CKO_PRIVATE_KEY, parts);
  draft.value = share(std::move(value));
  return draft;
}

Outcome<SharedPkey> private_key(const core::Crypto& crypto, const EcxCurve& curve,
                                core::ByteView value) {
  core::PkeyPtr key(value.size() != curve.size
                        ? nullptr
                        : EVP_PKEY_new_raw_private_key_ex(crypto.lib(),
                                                          core::provider_name(curve.algorithm),
                                                          nullptr, value.data(), value.size()));
  if (!key) {
    forget_errors();
    return bad_value("not a private key of the curve");
  }
  return share(std::move(key));
}

}  // namespace

Outcome<const EcxCurve*> find_ecx_curve(CK_KEY_TYPE key_type, core::ByteView ec_params) {
  if (!ec_params.empty()) {
    for (const auto& curve : curves()) {
      const auto is = [ec_params](core::ByteView form) {
        return std::ranges::equal(form, ec_params);
      };
      if (curve.key_type == key_type && (is(curve.oid) || is(printable_string(curve.name)) ||
                                         std::ranges::any_of(curve.also, is))) {
        return &curve;
      }
    }
  }
  return fault(CKR_CURVE_NOT_SUPPORTED, "not a curve of this key type");
}

bool same_ecx_curve(core::ByteView ec_params, core::ByteView other) {
  for (const auto key_type : {CKK_EC_EDWARDS, CKK_EC_MONTGOMERY}) {
    const auto one = find_ecx_curve(key_type, ec_params);
    const auto two = find_ecx_curve(key_type, other);
    if (one && two) return *one == *two;
  }
  return false;
}

Outcome<core::ByteView> ecx_point(const EcxCurve& curve, core::ByteView value) {
  const auto not_a_point = [] { return bad_value("not a public key of the curve"); };
  // First by length: a raw value may begin with any byte.
  if (value.size() == curve.size) return value;
  if (value.size() < curve.size) return not_a_point();
  const auto point = value.last(curve.size);
  if (std::ranges::equal(octet_string(point), value) ||
      std::ranges::equal(bit_string(point), value)) {
    return point;
  }
  return not_a_point();
}

Outcome<SharedPkey> ecx_public_key(const core::Crypto& crypto, const EcxCurve& curve,
                                   core::ByteView point) {
  core::PkeyPtr key(EVP_PKEY_new_raw_public_key_ex(
      crypto.lib(), core::provider_name(curve.algorithm), nullptr, point.data(), point.size()));
  if (!key) {
    forget_errors();
    return bad_value("not a public key of the curve");
  }
  return share(std::move(key));
}

Outcome<SharedPkey> generate_ecx_key(const core::Crypto& crypto, const EcxCurve& curve) {
  const auto context = core::key_context(crypto.lib(), curve.algorithm);
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_generate(context.get(), &key) != 1) {
    return crypto_failed("key generation");
  }
  return share(core::PkeyPtr(key));
}

Outcome<Draft> ecx_private_draft(CK_KEY_TYPE key_type, const SharedPkey& key) {
  auto parts = public_parts(key_type, key.get());
  if (!parts) return std::move(parts).error();
  return private_draft(key, *parts);
}

Outcome<ProducedPair> ecx_pair_drafts(CK_KEY_TYPE key_type, const SharedPkey& key) {
  auto parts = public_parts(key_type, key.get());
  if (!parts) return std::move(parts).error();
  auto private_half = private_draft(key, *parts);
  if (!private_half) return std::move(private_half).error();
  return ProducedPair{public_draft(key, *parts), *std::move(private_half)};
}

Outcome<Draft> import_ecx_public(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                 const Template& wanted) {
  auto curve = wanted_curve(key_type, wanted);
  if (!curve) return std::move(curve).error();
  const auto encoded = wanted.find(CKA_EC_POINT);
  if (!encoded) return incomplete_template("CKA_EC_POINT is missing");
  auto point = ecx_point(**curve, *encoded);
  if (!point) return std::move(point).error();
  auto key = ecx_public_key(crypto, **curve, *point);
  if (!key) return std::move(key).error();
  auto parts = public_parts(key_type, key->get());
  if (!parts) return std::move(parts).error();
  return public_draft(*key, *parts);
}

Outcome<Draft> import_ecx_private(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                  const Template& wanted) {
  auto curve = wanted_curve(key_type, wanted);
  if (!curve) return std::move(curve).error();
  const auto value = wanted.find(CKA_VALUE);
  if (!value) return incomplete_template("CKA_VALUE is missing");
  auto key = private_key(crypto, **curve, *value);
  if (!key) return std::move(key).error();
  return ecx_private_draft(key_type, *key);
}

Outcome<SharedPkey> parse_ecx_key(const core::Crypto& crypto, const AttributeSet& attributes,
                                  core::ByteView value) {
  const auto key_type = attributes.number(CKA_KEY_TYPE).value_or(CK_UNAVAILABLE_INFORMATION);
  auto curve = find_ecx_curve(key_type, attributes.bytes(CKA_EC_PARAMS));
  if (!curve) return std::move(curve).error();
  if (attributes.number(CKA_CLASS) == CKO_PRIVATE_KEY) return private_key(crypto, **curve, value);
  const auto point = ecx_point(**curve, attributes.bytes(CKA_EC_POINT));
  if (!point) return fault(CKR_DEVICE_ERROR, "a stored public key is damaged");
  return ecx_public_key(crypto, **curve, *point);
}

}  // namespace tallystick::token
