// What the NXP-shaped commands leave in a part: keys that files brought, the key store of
// key-provisioning, and the floor of firmware versions. It is part of PartState and changes with
// it; like its other heavy pieces it is shared between copies and never changed in place.
#pragma once

#include <map>
#include <memory>

#include "core/base/result.h"
#include "core/base/secret.h"

namespace tallystick::device {

struct LoadedKey {
  std::uint32_t type = 0;  // core::DeviceHsm::StoredKeyType
  core::Secret key;        // 16 or 32 bytes
};

struct NxpState {
  static constexpr std::size_t kMostLoadedKeys = 32;

  std::uint32_t minimum_firmware_version = 0;
  // By the place that the file gave.
  std::map<std::uint32_t, LoadedKey> keys;
  core::Secret key_store;  // ProvisionedKeys::encode(); empty: none

  [[nodiscard]] NxpState clone() const;
};

core::WipedBytes encode_nxp_state(const NxpState& state);
// kStorage when the bytes are not exactly a state.
core::Result<std::shared_ptr<const NxpState>> decode_nxp_state(core::ByteView bytes);

}  // namespace tallystick::device
