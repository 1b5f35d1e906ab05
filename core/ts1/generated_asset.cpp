#include "core/ts1/generated_asset.h"

#include <openssl/core_names.h>
#include <openssl/obj_mac.h>

#include "core/base/reader.h"
#include "core/crypto/ec.h"
#include "core/crypto/kdf.h"
#include "core/crypto/pkcs8.h"
#include "core/ts1/text.h"

namespace tallystick::core {
namespace {

constexpr std::array<std::string_view, kGeneratedTypes> kNames = {
    "aes128", "aes256", "hmac256", "p256", "p384", "ed25519", "bytes"};
constexpr std::uint32_t kMostBytes = 1024;

// Bytes of V.
std::size_t raw_length(const GeneratedAsset& asset) {
  switch (asset.type) {
    case GeneratedType::kAes128:
      return 16;
    case GeneratedType::kP256:
      return 48;
    case GeneratedType::kP384:
      return 64;
    case GeneratedType::kBytes:
      return asset.length;
    case GeneratedType::kAes256:
    case GeneratedType::kHmac256:
    case GeneratedType::kEd25519:
      break;
  }
  return 32;
}

// d = (V mod (q − 1)) + 1, FIPS 186-5 A.2.1.
Result<Secret> scalar_from(const Crypto& crypto, Curve curve, ByteView value) {
  const int nid = curve == Curve::kP256 ? NID_X9_62_prime256v1 : NID_secp384r1;
  const EcGroupPtr group(EC_GROUP_new_by_curve_name_ex(crypto.lib(), nullptr, nid));
  const BnCtxPtr work(BN_CTX_secure_new_ex(crypto.lib()));
  const BnPtr number(BN_secure_new());
  const BnPtr scalar(BN_secure_new());
  if (!group || !work || !number || !scalar) return crypto_error("generated EC key");
  const BnPtr modulus(BN_dup(EC_GROUP_get0_order(group.get())));
  if (!modulus || BN_sub_word(modulus.get(), 1) != 1) return crypto_error("generated EC key");
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  Secret out(field_size(curve));
  if (BN_bin2bn(value.data(), static_cast<int>(value.size()), number.get()) == nullptr ||
      BN_mod(scalar.get(), number.get(), modulus.get(), work.get()) != 1 ||
      BN_add_word(scalar.get(), 1) != 1 ||
      BN_bn2binpad(scalar.get(), out.span().data(), static_cast<int>(out.size())) < 0) {
    return crypto_error("generated EC key");
  }
  return out;
}

}  // namespace

std::string_view generated_type_name(GeneratedType type) {
  return kNames[static_cast<std::size_t>(type) - 1];
}

Result<GeneratedType> generated_type_from(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<GeneratedType>(i + 1);
  }
  return Error{ErrorCode::kMalformed, "unknown type of generated asset", 0};
}

Result<Secret> generate_asset(const Crypto& crypto, const Context& context, ByteView seed,
                              const GeneratedAsset& asset) {
  const auto number = static_cast<std::uint8_t>(asset.type);
  if (number < 1 || number > kGeneratedTypes || seed.size() != kSecretSize) {
    return Error{ErrorCode::kInvalidArgument, "type or seed of a generated asset", 0};
  }
  const bool bytes = asset.type == GeneratedType::kBytes;
  const bool length_fits =
      bytes ? asset.length >= 1 && asset.length <= kMostBytes : asset.length == 0;
  if (asset.name.empty() || !field_from_name(asset.name) || !length_fits) {
    return Error{ErrorCode::kInvalidArgument, "name or length of a generated asset", 0};
  }
  Writer label;
  label.text("TS1/GEN/").text(generated_type_name(asset.type));
  Writer bound;
  bound.bytes(context.encode()).lv(bytes_of(asset.name)).u32(asset.index);
  if (bytes) bound.u32(asset.length);
  auto value =
      counter_kdf(crypto, Hash::kSha256, seed, label.view(), bound.view(), raw_length(asset));
  if (!value) return value;
  if (asset.type == GeneratedType::kP256) return scalar_from(crypto, Curve::kP256, value->view());
  if (asset.type == GeneratedType::kP384) return scalar_from(crypto, Curve::kP384, value->view());
  return value;
}

Result<Secret> package_form(const Crypto& crypto, GeneratedType type, ByteView value) {
  if (type == GeneratedType::kP256 || type == GeneratedType::kP384) {
    const auto curve = type == GeneratedType::kP256 ? Curve::kP256 : Curve::kP384;
    auto key = EcPrivateKey::from_scalar(crypto, curve, value);
    if (!key) return std::move(key).error();
    return key->pkcs8();
  }
  if (type == GeneratedType::kEd25519) {
    const PkeyPtr key(EVP_PKEY_new_raw_private_key_ex(
        crypto.lib(), provider_name(KeyAlgorithm::kEd25519), nullptr, value.data(), value.size()));
    if (!key) return crypto_error("generated Ed25519 key");
    return pkcs8_der(key.get());
  }
  return Secret::copy_of(value);
}

}  // namespace tallystick::core
