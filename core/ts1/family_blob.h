// The family blob "TSFB": a family's immutable portion on its way from the ICM's token into a
// provisioning token, a station token or a part (docs/pkcs11.md). Sealed to one device key, signed
// by K_PRK_ICM_PROV.
#pragma once

#include <functional>

#include "core/ts1/family.h"
#include "core/ts1/seal.h"

namespace tallystick::core {

constexpr std::size_t kLeastFamilyBlobSize = 481;
constexpr std::size_t kFamilyBlobHeaderSize = 216;  // A

// A ‖ Seal(…), without the signature that the ICM's HSM appends. `role` kProvisioning, kStation or
// kPart; `family` of role ICM. K_OEM_MASTER_SHARE goes in unless role station, or part of a family
// that is not uniform.
struct FixedFamilyBlob {
  const EcPrivateKey* ephemeral = nullptr;
  ByteView salt;
};
Result<Bytes> seal_family_blob(const Crypto& crypto, const Family& family, FamilyRole role,
                               const EcPublicKey& recipient, const FixedFamilyBlob& fixed = {});

struct FamilyBlobHeader {
  FamilyRole role{};
  std::uint8_t flags = 0;
  FamilyId family_id{};
  DeviceId recipient_id{};
  ByteArray<64> ephemeral{};
  ByteArray<kIcmKeySize> icm_public_key{};
};
// Check 1 alone: form. For looking at a blob without opening it.
Result<FamilyBlobHeader> parse_family_blob(ByteView blob);

// All six checks in order (Error::check 1 to 6): form, fingerprint, signature, recipient, not yet
// present, opening and lengths.
Result<Family> open_family_blob(const Crypto& crypto, ByteView blob,
                                const ByteArray<32>& expected_fingerprint,
                                const EcPrivateKey& device_key,
                                const std::function<bool(const FamilyId&)>& present);

}  // namespace tallystick::core
