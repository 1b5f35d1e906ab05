// Installer: a package on its way into a part, as a stream in any pieces. What it opens is staged
// in the inactive bank, which nothing can read; finish() commits all of it at once. An error, a
// reset, or dropping the installer erases what was staged.
#pragma once

#include <vector>

#include "core/provisioning/package_reader.h"
#include "devicesim/key_store.h"

namespace tallystick::device {

class Part;

class Installer : private core::PackageTarget {
 public:
  Installer(const Installer&) = delete;
  Installer& operator=(const Installer&) = delete;
  ~Installer() override;

  // Error::check is the number of the package's check that refused (10: opening).
  core::Status update(core::ByteView data);
  // After the last byte: assets, minimum versions, owner and life cycle change in one commit.
  core::Status finish();

 private:
  friend class Part;
  Installer(Part& part, std::uint64_t total_length);
  // The part is reset or goes away.
  void detach();

  [[nodiscard]] const core::ProvisioningSoftware& running() const override;
  [[nodiscard]] const core::EcPrivateKey* device_key() const override;
  [[nodiscard]] core::ByteView share_blob() const override;
  [[nodiscard]] std::optional<core::OemId> owner() const override;
  [[nodiscard]] std::string product() const override;
  [[nodiscard]] std::uint32_t minimum_package_version() const override;
  [[nodiscard]] std::uint32_t minimum_asset_version(std::uint16_t asset_id) const override;
  [[nodiscard]] bool range_permitted(const core::PackageEntry& entry) const override;
  core::Status begin_asset(const core::PackageHead& head, std::size_t index) override;
  core::Status write_asset(core::ByteView plaintext) override;
  core::Status end_asset() override;
  void abandon() override;

  Part* part_;                       // null once detached
  Place place_;                      // what is left of the current asset's
  bool may_be_application_ = false;  // as far as the current asset has come
  std::uint32_t slot_ = 0;           // of the current asset
  std::size_t seen_ = 0;             // of the current asset's magic
  std::vector<std::uint32_t> applications_;
  std::optional<core::PackageReader> reader_;
};

}  // namespace tallystick::device
