#include "core/crypto/signing_key.h"

#include <openssl/core_names.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>

#include <array>
#include <optional>

#include "core/crypto/pkcs8.h"

namespace tallystick::core {
namespace {

constexpr std::size_t kEd25519Public = 32;
constexpr std::size_t kEd25519Signature = 64;

// Nothing when it is no key on a curve of the profile.
std::optional<Curve> curve_of(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1) return std::nullopt;
  switch (OBJ_sn2nid(group.data())) {
    case NID_X9_62_prime256v1:
      return Curve::kP256;
    case NID_secp384r1:
      return Curve::kP384;
    default:
      return std::nullopt;
  }
}

Result<Secret> scalar_of(const EVP_PKEY* key, Curve curve) {
  BIGNUM* number = nullptr;
  const bool read = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1;
  const BnPtr owner(number);
  Secret out(field_size(curve));
  if (!read || BN_bn2binpad(number, out.span().data(), static_cast<int>(out.size())) < 0) {
    return crypto_error("EC private key");
  }
  return out;
}

Result<Bytes> sign_ed25519(const Crypto& crypto, EVP_PKEY* key, ByteView message) {
  const MdCtxPtr context(EVP_MD_CTX_new());
  Bytes signature(kEd25519Signature);
  std::size_t size = signature.size();
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, crypto.lib(), nullptr, key, nullptr) !=
          1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1 ||
      size != signature.size()) {
    return crypto_error("Ed25519");
  }
  return signature;
}

}  // namespace

Result<SigningPrivateKey> SigningPrivateKey::from_pkcs8(const Crypto& crypto, ByteView der) {
  auto key = parse_pkcs8(crypto, der);
  if (!key) return std::move(key).error();
  if (EVP_PKEY_is_a(key->get(), provider_name(KeyAlgorithm::kEd25519)) == 1) {
    return SigningPrivateKey(Key(*std::move(key)));
  }
  if (const auto curve = curve_of(key->get())) {
    const auto scalar = scalar_of(key->get(), *curve);
    if (!scalar) return scalar.error();
    auto ec = EcPrivateKey::from_scalar(crypto, *curve, scalar->view());
    if (!ec) return std::move(ec).error();
    return SigningPrivateKey(Key(*std::move(ec)));
  }
  return Error{ErrorCode::kMalformed, "no private key on P-256 or P-384 and none of Ed25519"};
}

Result<Bytes> SigningPrivateKey::public_key() const {
  if (const auto* const ec = std::get_if<EcPrivateKey>(&key_)) {
    return Bytes(ec->public_xy().begin(), ec->public_xy().end());
  }
  Bytes out(kEd25519Public);
  std::size_t size = out.size();
  const auto& key = *std::get_if<PkeyPtr>(&key_);
  if (EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) != 1 || size != out.size()) {
    return crypto_error("Ed25519");
  }
  return out;
}

Result<Bytes> SigningPrivateKey::sign(const Crypto& crypto, ByteView message) const {
  if (const auto* const ec = std::get_if<EcPrivateKey>(&key_)) return ec->sign(crypto, {message});
  return sign_ed25519(crypto, std::get_if<PkeyPtr>(&key_)->get(), message);
}

}  // namespace tallystick::core
