#include "core/ts1/generated_asset.h"

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
  if (asset.type == GeneratedType::kP256)
    return ec_scalar_from(crypto, Curve::kP256, value->view());
  if (asset.type == GeneratedType::kP384)
    return ec_scalar_from(crypto, Curve::kP384, value->view());
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
