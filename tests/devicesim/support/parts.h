// Parts in all stages, for tests.
#pragma once

#include <gmock/gmock.h>

#include "core/ts1/proof.h"
#include "devicesim/part.h"
#include "tests/devicesim/support/medium.h"
#include "tests/support/oem_desk.h"
#include "tests/support/value.h"

namespace tallystick::test {

// A flash of 64 KiB keeps media small.
constexpr std::uint64_t kSmallFlash = 64ULL * 1024;

device::Manufacture manufacture_for(const World& world, const std::string& product = "",
                                    std::uint64_t flash_size = kSmallFlash);
std::shared_ptr<Medium> new_medium(std::uint64_t flash_size = kSmallFlash);

// Blank silicon after its first power-on.
std::unique_ptr<device::Part> blank_part(const World& world, const std::string& product = "",
                                         std::shared_ptr<Medium> medium = new_medium());
// Immutable memory filled, certified, software stored and running.
void make_ready(const World& world, device::Part& part, core::ByteView software);
std::unique_ptr<device::Part> ready_part(const World& world, const std::string& product = "",
                                         std::shared_ptr<Medium> medium = new_medium());
std::unique_ptr<device::Part> reopened(const World& world, const std::shared_ptr<Medium>& medium,
                                       std::optional<Failure> failure = std::nullopt);

// Share blob, package in pieces of `piece` bytes, finish.
core::Status program(device::Part& part, core::ByteView share_blob, core::ByteView package,
                     std::size_t piece = 5000);

// Everything that a package changes, read through the part's public face. Two parts' snapshots
// differ only by what they hold.
struct Snapshot {
  device::LifeCycle life_cycle{};
  std::uint32_t minimum_software = 0;
  std::uint32_t minimum_package = 0;
  std::optional<core::OemId> owner;
  std::optional<std::uint32_t> package_version;
  std::vector<std::uint32_t> fuses;
  core::Bytes macs;  // of a proof for a fixed challenge
  device::BootRecord boot;
  bool returned = false;
  unsigned debug_tries_left = 0;  // 0 when it is returned
  bool challenged = false;
  bool operator==(const Snapshot&) const = default;
};
Snapshot snapshot(device::Part& part);
void PrintTo(const Snapshot& state, std::ostream* out);

// The MAC that the OEM expects of a part that holds asset `index` of the plan and its package.
core::ByteArray<48> expected_mac(const World& world, const OemDesk& oem, const PackagePlan& plan,
                                 core::ByteView package, std::size_t index,
                                 const core::DeviceId& part_id, core::ByteView challenge);

// The contents of a part's bank in a medium, [from, end).
struct Range {
  std::uint64_t from = 0;
  std::uint64_t end = 0;
};
Range bank_range(const Medium& medium, unsigned bank);
// The record in a state place, [from, end).
Range record_range(const Medium& medium, unsigned place);

MATCHER(Succeeds, "") {
  if (arg.ok()) return true;
  *result_listener << arg.error().message;
  return false;
}

MATCHER_P(FailsWith, code, "") {
  if (arg.ok()) {
    *result_listener << "it succeeded";
    return false;
  }
  *result_listener << "code " << static_cast<int>(arg.error().code) << ": " << arg.error().message;
  return arg.error().code == code;
}

MATCHER_P2(FailsAtCheck, check, code, "") {
  if (arg.ok()) {
    *result_listener << "it succeeded";
    return false;
  }
  *result_listener << "check " << static_cast<int>(arg.error().check) << ", code "
                   << static_cast<int>(arg.error().code) << ": " << arg.error().message;
  return arg.error().check == check && arg.error().code == code;
}

}  // namespace tallystick::test
