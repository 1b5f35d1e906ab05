// The immutable portion of a device: what the ICM puts into every part of a family, and the role
// that the holder plays ([0022], [0023] of US 2023/0063743 A1).
#pragma once

#include <optional>
#include <vector>

#include "core/crypto/ec.h"
#include "core/ts1/context.h"

namespace tallystick::core {

enum class FamilyRole : std::uint8_t { kIcm = 1, kProvisioning = 2, kStation = 3, kPart = 4 };

// Flags of a family; the two exclude each other.
constexpr std::uint8_t kFamilyUniform = 1;  // every part carries K_OEM_MASTER_SHARE too
constexpr std::uint8_t kFamilyCounted = 2;  // parts take OEM_SHARE only in role 3 blobs

// HW_SHARE, ROM_SHARE and up to six further shares.
constexpr std::size_t kLeastShares = 2;
constexpr std::size_t kMostShares = 8;
constexpr std::size_t kSecretSize = 32;
constexpr std::size_t kIcmKeySize = 96;

struct Family {
  FamilyId id{};
  std::uint8_t flags = 0;
  FamilyRole role = FamilyRole::kPart;
  std::vector<Secret> shares;
  Secret k_oem_share;
  std::optional<Secret> k_oem_master_share;
  ByteArray<kIcmKeySize> icm_public_key{};  // K_PUK_ICM_PROV, X ‖ Y on P-384

  [[nodiscard]] bool uniform() const { return (flags & kFamilyUniform) != 0; }
  [[nodiscard]] bool counted() const { return (flags & kFamilyCounted) != 0; }
  [[nodiscard]] Family clone() const;
};

// SHA-256(K_PUK_ICM_PROV): what a person compares over another way.
Result<ByteArray<32>> icm_fingerprint(const Crypto& crypto, ByteView icm_public_key);

// A family is born: fresh shares and keys, role ICM. `further_shares` 0 to 6. kMalformed when the
// key is not a point on P-384, kInvalidArgument for flags or a number of shares out of range.
Result<Family> generate_family(const Crypto& crypto, const FamilyId& id, std::uint8_t flags,
                               std::uint8_t further_shares, ByteView icm_public_key);

// The import form "TSFM" (docs/pkcs11.md): exact length, version, flags, shares, point checked.
// Gives role ICM.
Result<Family> parse_family_import(const Crypto& crypto, ByteView value);
// The same form, for writing one down; it is all secrets.
Secret encode_family_import(const Family& family);

}  // namespace tallystick::core
