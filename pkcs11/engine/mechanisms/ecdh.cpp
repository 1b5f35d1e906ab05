// Key agreement on the curves of EC keys and on X25519 and X448 (CKM_ECDH1_DERIVE).
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>

#include "pkcs11/engine/keys/ec_key.h"
#include "pkcs11/engine/keys/ecx_key.h"
#include "pkcs11/engine/mechanisms/hash_numbers.h"
#include "pkcs11/engine/mechanisms/ready_key.h"
#include "pkcs11/engine/mechanisms/secrets.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kLargestPoint = 1024;
constexpr std::size_t kLargestSharedData = 64UL << 10;

Fault bad_point() { return bad_parameter("the peer's public key is not one of the curve"); }

struct Agreement {
  std::optional<core::Hash> kdf;  // X9.63; none: the agreed value itself
  core::Bytes shared_data;
  core::Bytes peer;
};

Outcome<Agreement> agreement_in(const Parameter& parameter) {
  auto params = parameter.as<CK_ECDH1_DERIVE_PARAMS>();
  if (!params) return std::move(params).error();
  const auto kdf = hash_with(&HashNumbers::kdf, params->kdf);
  if (params->kdf != CKD_NULL && !kdf) return bad_parameter("a KDF that is not offered");
  auto shared = copy_memory(params->pSharedData, params->ulSharedDataLen, kLargestSharedData);
  if (!shared) return std::move(shared).error();
  if (!kdf && !shared->empty()) return bad_parameter("shared data without a KDF");
  auto peer = copy_memory(params->pPublicData, params->ulPublicDataLen, kLargestPoint);
  if (!peer) return std::move(peer).error();
  return Agreement{kdf, *std::move(shared), *std::move(peer)};
}

// The peer's key: on the curve of ours, which is checked each time (A24).
Outcome<SharedPkey> peer_of(const core::Crypto& crypto, const Object& key, core::ByteView bytes) {
  const auto params = key.attributes().bytes(CKA_EC_PARAMS);
  Outcome<SharedPkey> peer = bad_point();
  if (key.key_type() == CKK_EC) {
    auto curve = find_curve(params);
    if (!curve) return std::move(curve).error();
    if (const auto point = ec_point_in(**curve, bytes)) {
      peer = ec_public_key(crypto, **curve, *point);
    }
  } else {
    auto curve = find_ecx_curve(key.key_type(), params);
    if (!curve) return std::move(curve).error();
    if (const auto point = ecx_point(**curve, bytes)) {
      peer = ecx_public_key(crypto, **curve, *point);
    }
  }
  if (!peer) return bad_point();
  return peer;
}

Outcome<core::Secret> agree(const DeriveInput& input, EVP_PKEY* peer) {
  auto context =
      ready_context(input.context, *input.base_key, Object::Prepared::kDerive, CKM_ECDH1_DERIVE,
                    "ECDH", [](EVP_PKEY_CTX* made) { return EVP_PKEY_derive_init(made) == 1; });
  if (!context) return std::move(context).error();
  std::size_t size = 0;
  // The point was found on the curve, and curves with cofactor 1 have no other points.
  if (EVP_PKEY_derive_set_peer_ex(context->get(), peer, 0) != 1 ||
      EVP_PKEY_derive(context->get(), nullptr, &size) != 1) {
    return crypto_failed("ECDH");
  }
  core::Secret out(size);
  // X25519 and X448 refuse points of small order here: they give zero whatever our key is.
  if (EVP_PKEY_derive(context->get(), out.span().data(), &size) != 1) {
    forget_errors();
    return bad_point();
  }
  out.truncate(size);
  return out;
}

Outcome<core::Secret> x963(const core::Crypto& crypto, core::Hash hash, core::ByteView agreed,
                           core::ByteView shared_data, std::size_t size) {
  const core::KdfPtr kdf(EVP_KDF_fetch(crypto.lib(), "X963KDF", nullptr));
  const core::KdfCtxPtr context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  // libcrypto only reads what these point to.
  const auto octets = [](const char* name, core::ByteView bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                             bytes.size());
  };
  const std::array<OSSL_PARAM, 4> params = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                       const_cast<char*>(EVP_MD_get0_name(crypto.md(hash))), 0),
      octets(OSSL_KDF_PARAM_KEY, agreed), octets(OSSL_KDF_PARAM_INFO, shared_data),
      OSSL_PARAM_construct_end()};
  core::Secret out(size);
  if (!context ||
      EVP_KDF_derive(context.get(), out.span().data(), out.size(), params.data()) != 1) {
    return crypto_failed("X9.63 KDF");
  }
  return out;
}

Outcome<Produced> derive(const DeriveInput& input) {
  const auto& key = *input.base_key;
  if (key.object_class() != CKO_PRIVATE_KEY) return wrong_key_type("not a private key");
  auto agreement = agreement_in(input.parameter);
  if (!agreement) return std::move(agreement).error();
  auto wanted = wanted_secret(input.wanted);
  if (!wanted) return std::move(wanted).error();
  // Only the agreed value itself has a length of its own, and only a type of any length takes it.
  if (!wanted->length && (agreement->kdf || wanted->type == CKK_AES)) {
    return incomplete_template("CKA_VALUE_LEN is missing");
  }
  const auto& crypto = input.context.crypto;
  auto peer = peer_of(crypto, key, agreement->peer);
  if (!peer) return std::move(peer).error();
  auto value = agree(input, peer->get());
  if (!value) return value.error();
  const auto length = wanted->length.value_or(value->size());
  if (agreement->kdf) {
    value = x963(crypto, *agreement->kdf, value->view(), agreement->shared_data, length);
    if (!value) return value.error();
  } else if (length > value->size()) {
    return fault(CKR_KEY_SIZE_RANGE, "longer than the agreed value");
  } else {
    // A shorter key is the end of the value (PKCS#11 section 6.3.17).
    value = core::Secret::copy_of(value->view().last(length));
  }
  return secret_of(wanted->type, *std::move(value));
}

Mechanism derivation(CK_MECHANISM_TYPE type) {
  Mechanism mechanism;
  mechanism.type = type;
  mechanism.min_key_size = 256;
  mechanism.max_key_size = 521;
  mechanism.extra_flags = CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS;
  mechanism.key_types = {CKK_EC};
  mechanism.derive = &derive;
  return mechanism;
}

}  // namespace

void register_ecdh(MechanismTable& table) {
  auto plain = derivation(CKM_ECDH1_DERIVE);
  plain.min_key_size = 255;
  plain.key_types.push_back(CKK_EC_MONTGOMERY);
  table.add(std::move(plain));
  // The same where the cofactor is 1.
  table.add(derivation(CKM_ECDH1_COFACTOR_DERIVE));
}

}  // namespace tallystick::token
