// Everything a part remembers beside the contents of its flash and key store. It changes as a
// whole: whoever changes it takes a copy, changes that and commits it (part_file.h). The heavy and
// secret pieces are shared between copies and never changed in place.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "core/ts1/package.h"
#include "devicesim/boot_record.h"
#include "devicesim/debug_port.h"
#include "devicesim/fuses.h"
#include "devicesim/immutable_memory.h"
#include "devicesim/life_cycle.h"
#include "devicesim/nxp/nxp_state.h"

namespace tallystick::device {

// What one installation left.
struct Installed {
  core::PackageHead head;
  // The share blob it was opened with; serves further packages of the same share set.
  core::Bytes share_blob;
  // Empty when the software that installed it does not prove.
  core::Secret proof_key;
};

// Different asset_ids whose minimum version a part can remember in its life.
constexpr std::size_t kMostAssetIds = 4096;

struct PartState {
  ImmutableMemory immutable;

  // Null until the first power-on.
  std::shared_ptr<const core::EcPrivateKey> device_key;
  core::DeviceId id{};
  core::Bytes certificate;

  LifeCycleFuses life_cycle;
  Fuses fuses;

  core::Bytes software;  // the stored image
  std::uint32_t minimum_software_version = 0;
  std::uint32_t minimum_package_version = 0;
  std::map<std::uint16_t, std::uint32_t> minimum_asset_versions;
  std::optional<core::OemId> owner;

  std::shared_ptr<const Installed> installed;
  std::uint8_t active_bank = 0;  // 0 or 1
  // Null until an NXP-shaped command left something.
  std::shared_ptr<const NxpState> nxp;

  BootRecord boot;
  DebugRecord debug;

  // X ‖ Y of the device key, also of the one that a returned part had; empty before there is one.
  [[nodiscard]] core::ByteView public_key() const;
  // The same part with nothing in it that anyone must not see: no shares, no keys, no assets, no
  // software. Versions, owner, life cycle and fuses stay.
  [[nodiscard]] PartState without_secrets() const;

  explicit PartState(ImmutableMemory memory) : immutable(std::move(memory)) {}
};

// The most bytes that encode_state() gives.
constexpr std::size_t kMostState = 64UL * 1024 - 128;

// Always of the newest version.
core::Result<core::Secret> encode_state(const PartState& state);
// A state of version 1 or 2: what version 1 did not know is as in a part that was never booted and
// whose debug port was never asked for. kStorage when the bytes are not a state.
core::Result<PartState> decode_state(const core::Crypto& crypto, core::ByteView bytes);

}  // namespace tallystick::device
