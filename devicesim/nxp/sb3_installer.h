// Sb3Installer: an SB3.1 container on its way into a part, as a stream in any pieces. Nothing is
// staged before its signature held; what its commands do is staged then, and finish() commits all
// of it at once. An error, a reset, or dropping the installer leaves the part as it was.
#pragma once

#include "core/provisioning/device_hsm.h"
#include "devicesim/flash_change.h"
#include "devicesim/part_state.h"

namespace tallystick::device {

class Part;

class Sb3Installer : private core::sb3::Target {
 public:
  // The most bytes of a wrapped key in a file.
  static constexpr std::size_t kMostKeyBlob = 512;

  Sb3Installer(const Sb3Installer&) = delete;
  Sb3Installer& operator=(const Sb3Installer&) = delete;
  ~Sb3Installer() override;

  // Error::check is that of the container's reader (core/sb3/reader.h). At check 8
  // kInvalidArgument means a range that is not in the part, kNotPermitted a command that the part
  // does not do.
  core::Status update(core::ByteView data);
  // After the last byte: flash, fuses, keys, owner and minimum version change in one commit.
  core::Status finish();

 private:
  friend class Part;
  Sb3Installer(Part& part, std::uint64_t total_length);
  // The part is reset or goes away, or the installation is over.
  void detach();

  core::Result<core::sb3::Authority> authority(const core::sb3::Header& unverified,
                                               const core::sb3::Certificate& certificate) override;
  core::Status admit(const core::sb3::Header& header,
                     const core::sb3::Certificate& certificate) override;
  core::Status begin(const core::sb3::Command& command) override;
  core::Status data(core::ByteView piece) override;
  core::Status end() override;
  void abandon() override;

  core::Status check_range(const core::sb3::Command& command) const;
  core::Status erase();
  core::Status fill();
  core::Status program_fuses();
  core::Status load_key();
  core::Status check_version() const;

  Part* part_;  // null once detached
  std::optional<core::DeviceHsm> hsm_;
  std::unique_ptr<FlashChange> change_;
  // What finish() puts in force.
  std::optional<PartState> next_;
  NxpState nxp_;
  core::sb3::Command command_;
  std::uint64_t address_ = 0;  // of the next byte of a load
  core::WipedBytes held_;      // data of a command that needs all of it at once
  std::optional<core::sb3::Reader> reader_;
};

}  // namespace tallystick::device
