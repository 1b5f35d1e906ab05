// Generated assets: values that H makes inside the provisioning device, the same again after
// regeneration (section 3 of docs/formats.md).
#pragma once

#include <string_view>

#include "core/ts1/derive.h"

namespace tallystick::core {

enum class GeneratedType : std::uint8_t {
  kAes128 = 1,
  kAes256 = 2,
  kHmac256 = 3,
  kP256 = 4,
  kP384 = 5,
  kEd25519 = 6,
  kBytes = 7,
};
constexpr std::uint8_t kGeneratedTypes = 7;
// The type's name in the profile ("aes128", …), and back; kMalformed for another name.
std::string_view generated_type_name(GeneratedType type);
Result<GeneratedType> generated_type_from(std::string_view name);

struct GeneratedAsset {
  GeneratedType type{};
  std::string name;  // 1 to 32 bytes of UTF-8 without NUL: the entry's name
  std::uint32_t index = 0;
  std::uint32_t length = 0;  // bytes only: 1 to 1,024; 0 for every other type
};

// The value: the key; for p256 and p384 the private scalar, big-endian; for ed25519 the seed.
// kInvalidArgument for a name or length out of range.
Result<Secret> generate_asset(const Crypto& crypto, const Context& context, ByteView seed,
                              const GeneratedAsset& asset);

// The value as a package carries it: EC and Ed25519 keys as PKCS#8 DER, all others as they are.
Result<Secret> package_form(const Crypto& crypto, GeneratedType type, ByteView value);

}  // namespace tallystick::core
