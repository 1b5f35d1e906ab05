// World: a chip maker for tests. It has an ICM key, a part family, and signs what an ICM signs:
// provisioning software, device certificates, family blobs. All keys are in memory; what an HSM
// would do in production is a call of sign() here.
#pragma once

#include <memory>
#include <vector>

#include "core/certificate/device_certificate.h"
#include "core/crypto/ec.h"
#include "core/ts1/family.h"
#include "core/ts1/software.h"

namespace tallystick::test {

using CryptoPtr = std::shared_ptr<const core::Crypto>;

// One for the whole test program.
CryptoPtr shared_crypto();
core::Bytes random_bytes(std::size_t size);

// Bit masks of family roles for software.
constexpr std::uint16_t kForProvisioning = 1U << 2U;
constexpr std::uint16_t kForStation = 1U << 3U;
constexpr std::uint16_t kForPart = 1U << 4U;
constexpr std::uint16_t kForAll = kForProvisioning | kForStation | kForPart;

core::PermissionRecord permit(core::Operation operation, std::uint32_t argument = 0);
core::PermissionRecord permit_move(unsigned from, unsigned to);
// Everything, with the life cycle 0 → 1 → 2 → 3.
std::vector<core::PermissionRecord> all_permissions();
// all_permissions() without every record of one operation.
std::vector<core::PermissionRecord> all_permissions_but(core::Operation operation);

struct WorldOptions {
  std::uint8_t flags = 0;
  std::uint8_t further_shares = 1;
};

class World {
 public:
  explicit World(const WorldOptions& options = {});

  [[nodiscard]] const core::Crypto& crypto() const { return *crypto_; }
  [[nodiscard]] const CryptoPtr& crypto_ptr() const { return crypto_; }
  [[nodiscard]] const core::EcPrivateKey& icm_key() const { return icm_key_; }
  // SHA-256(K_PUK_ICM_PROV).
  [[nodiscard]] const core::ByteArray<32>& fingerprint() const { return fingerprint_; }
  // Role ICM.
  [[nodiscard]] const core::Family& family() const { return family_; }
  // What a device of that role holds.
  [[nodiscard]] core::Family family_for(core::FamilyRole role) const;

  // A signed image.
  [[nodiscard]] core::Bytes software(
      std::uint32_t version = 1, std::uint16_t role_mask = kForAll,
      const std::vector<core::PermissionRecord>& permissions = all_permissions(),
      const std::string& name = "test software") const;
  // For a device key X ‖ Y, 64 bytes.
  [[nodiscard]] core::Bytes certificate(core::DeviceKind kind, core::ByteView device_key) const;
  [[nodiscard]] core::Bytes family_blob(core::FamilyRole role, core::ByteView device_key) const;
  // Self-signed, DER.
  [[nodiscard]] core::Bytes icm_certificate() const;

 private:
  CryptoPtr crypto_;
  core::EcPrivateKey icm_key_;
  core::ByteArray<32> fingerprint_;
  core::Family family_;
};

}  // namespace tallystick::test
