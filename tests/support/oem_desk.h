// OemDesk: an OEM for tests, with a signing key, a provisioning device in memory and one share set;
// and package_from(), which makes a package on any device that can seal and tag.
#pragma once

#include <functional>

#include "core/provisioning/provisioning_software.h"
#include "tests/support/world.h"

namespace tallystick::test {

struct PlannedAsset {
  core::PackageEntry entry;  // lengths and digest are filled in
  core::Bytes content;
};

struct PackagePlan {
  core::Suite suite = core::Suite::kGcm;
  std::uint32_t version = 1;
  std::string product;
  std::uint64_t created = 1700000000;
  std::vector<PlannedAsset> assets;
};

// Repeatable bytes that look random.
core::Bytes pattern(std::size_t size, std::uint32_t seed);

// Kinds 0, 1, 2 and 32; asset_id and slot are `number`.
PlannedAsset flash_asset(std::uint16_t number, const std::string& name, std::uint64_t address,
                         core::Bytes content, core::AssetKind kind = core::AssetKind::kData,
                         std::uint8_t flags = 0, std::uint32_t version = 1);
// Kinds 16 and 17.
PlannedAsset key_asset(std::uint16_t number, const std::string& name, core::Bytes content,
                       core::AssetKind kind = core::AssetKind::kSecretKey,
                       std::uint8_t flags = core::kAssetSign, std::uint32_t version = 1);
// Firmware over several chunks, configuration, write-only data, certificate, further type, two
// keys; fits into 64 KiB of flash at address 0.
PackagePlan small_plan(std::uint32_t version = 1, std::uint32_t seed = 1);

// A device as package_from() needs it.
struct SealingDevice {
  core::Context context;
  std::function<core::Bytes(core::ByteView seal_context, core::ByteView content)> seal;
  std::function<core::ByteArray<16>(core::ByteView tagged)> tag;
};
// The whole file: head and body.
core::Bytes package_from(const SealingDevice& device, const core::Crypto& crypto,
                         const core::EcPrivateKey& oem_key, const PackagePlan& plan);

class OemDesk {
 public:
  // A new OEM (or the one of `oem_key`) with a new share set.
  explicit OemDesk(const World& world, std::uint32_t sw_floor = 1,
                   const core::EcPrivateKey* oem_key = nullptr);
  OemDesk(const OemDesk&) = delete;
  OemDesk& operator=(const OemDesk&) = delete;

  [[nodiscard]] const core::EcPrivateKey& key() const { return oem_key_; }
  [[nodiscard]] const core::OemId& id() const { return share_.context.oem_id; }
  [[nodiscard]] const core::Context& context() const { return share_.context; }
  [[nodiscard]] const core::ProvisioningSoftware& device() const { return device_; }
  [[nodiscard]] const core::OemShare& share() const { return share_; }
  // The provisioning device's own device key, the minter of role 3 blobs.
  [[nodiscard]] const core::EcPrivateKey& device_key() const { return device_key_; }

  [[nodiscard]] core::Bytes share_blob(core::Suite suite = core::Suite::kGcm) const;
  [[nodiscard]] core::Bytes master_blob(core::Suite suite = core::Suite::kGcm) const;
  // Role 3 for a device key X ‖ Y, under a grant of this OEM.
  [[nodiscard]] core::Bytes device_blob(core::ByteView recipient, std::uint64_t number = 1,
                                        std::uint64_t limit = 10) const;
  [[nodiscard]] core::Bytes package(const PackagePlan& plan) const;
  // K_PROOF, to check proofs with.
  [[nodiscard]] core::Secret proof_key(core::Suite suite) const;

 private:
  const World* world_;
  core::EcPrivateKey oem_key_;
  core::EcPrivateKey device_key_;
  core::Family family_;
  core::Software software_;
  core::ProvisioningSoftware device_;
  core::OemShare share_;
};

}  // namespace tallystick::test
