// A part that keeps in memory what is staged in it and counts what it is told.
#pragma once

#include <map>

#include "core/provisioning/package_reader.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {

class FakePart : public PackageTarget {
 public:
  FakePart(const ProvisioningSoftware& software, Bytes share,
           const EcPrivateKey* device_key = nullptr)
      : software_(&software), share_(std::move(share)), device_key_(device_key) {}

  // Ends the staging calls after so many of them; −1 never.
  int fail_after = -1;
  std::optional<OemId> owner_id;
  std::string product_name;
  std::uint32_t minimum_package = 0;
  std::map<std::uint16_t, std::uint32_t> minimum_assets;
  bool permit_ranges = true;

  std::vector<Bytes> staged;  // empty again after abandon()
  std::size_t begun = 0;
  std::size_t ended = 0;
  std::size_t abandoned = 0;
  std::size_t bytes_seen = 0;  // not reset by abandon()

  [[nodiscard]] const ProvisioningSoftware& running() const override { return *software_; }
  [[nodiscard]] const EcPrivateKey* device_key() const override { return device_key_; }
  [[nodiscard]] ByteView share_blob() const override { return share_; }
  [[nodiscard]] std::optional<OemId> owner() const override { return owner_id; }
  [[nodiscard]] std::string product() const override { return product_name; }
  [[nodiscard]] std::uint32_t minimum_package_version() const override { return minimum_package; }
  [[nodiscard]] std::uint32_t minimum_asset_version(std::uint16_t asset_id) const override;
  [[nodiscard]] bool range_permitted(const PackageEntry& entry) const override;
  Status begin_asset(const PackageHead& head, std::size_t index) override;
  Status write_asset(ByteView plaintext) override;
  Status end_asset() override;
  void abandon() override;

 private:
  Status step();

  const ProvisioningSoftware* software_;
  Bytes share_;
  const EcPrivateKey* device_key_;
};

// Feeds a whole package in pieces of `piece` bytes.
Result<VerifiedPackage> install(FakePart& part, ByteView package, std::size_t piece = 4096);

// Holds when the package is refused at `check`, nothing stays staged, and the part was told to
// abandon exactly when staging had begun.
::testing::AssertionResult refuses(FakePart& part, ByteView package, int check,
                                   std::size_t piece = 4096);

}  // namespace tallystick::core::testing
