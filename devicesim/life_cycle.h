// The life cycle of a part (section 8 of docs/formats.md). It stands in 64 one-time fuses: each
// state is a code that contains the bits of the states before it and differs from every other in at
// least 21 bits. Going on means blowing more fuses; no fuse can be unblown, and a code that is not
// exactly one of the four is damage, which is treated as more than locked.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/result.h"

namespace tallystick::device {

enum class LifeCycle : std::uint8_t {
  kBlank = 0,
  kProvisioning = 1,  // software runs
  kProvisioned = 2,   // committed, not locked
  kLocked = 3,
  kDamaged = 255,  // not a state of the profile
};

std::string_view life_cycle_name(LifeCycle state);

// What somebody wants of a part.
enum class Action : std::uint8_t {
  kFillMemory,
  kStoreCertificate,
  kLoadSoftware,
  kInstall,  // share blobs and packages
  kBlowFuse,
  kWriteFlash,
  kLock,
  kReadFlash,  // all of it, without regard to assets
  kReadAsset,
  kReadFuse,
  kProve,
  kActAsDevice,  // a provisioning device, in a uniform family
  kUseKey,
  kStart,     // an application
  kAskDebug,  // a challenge, and its token
  kDebug,     // the debug port
};

// The one table of what each state forbids; kLifeCycle says why. What else an action needs, running
// software for one, its own function checks.
core::Status check_life_cycle(LifeCycle state, Action action, std::string_view what);

class LifeCycleFuses {
 public:
  LifeCycleFuses() = default;
  explicit LifeCycleFuses(std::uint64_t bits) : bits_(bits) {}

  [[nodiscard]] std::uint64_t bits() const { return bits_; }
  [[nodiscard]] LifeCycle state() const;
  // kLifeCycle unless `to` comes after the present state.
  core::Status advance(LifeCycle to);

 private:
  std::uint64_t bits_ = 0;
};

}  // namespace tallystick::device
