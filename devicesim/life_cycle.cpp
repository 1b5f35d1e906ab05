#include "devicesim/life_cycle.h"

#include <array>
#include <bit>
#include <string>

namespace tallystick::device {
namespace {

constexpr std::uint64_t kEveryThird = 0x9249249249249249;
constexpr std::array<std::uint64_t, 4> kCodes = {
    0,
    kEveryThird,
    kEveryThird | (kEveryThird << 1U),
    0xFFFFFFFFFFFFFFFF,
};
static_assert(std::popcount(kCodes[0] ^ kCodes[1]) >= 21);
static_assert(std::popcount(kCodes[1] ^ kCodes[2]) >= 21);
static_assert(std::popcount(kCodes[2] ^ kCodes[3]) >= 21);
static_assert((kCodes[1] & ~kCodes[2]) == 0, "fuses only go from 0 to 1");

// In which states an action is open, blank first. Damaged fuses permit nothing.
struct Rule {
  Action action;
  std::array<bool, 4> permitted;
};
constexpr std::array kRules = {
    Rule{Action::kFillMemory, {true, true, true, false}},
    Rule{Action::kStoreCertificate, {true, true, true, false}},
    Rule{Action::kLoadSoftware, {true, true, true, false}},
    Rule{Action::kInstall, {true, true, true, false}},
    Rule{Action::kBlowFuse, {true, true, true, false}},
    Rule{Action::kWriteFlash, {true, true, false, false}},
    Rule{Action::kLock, {true, true, true, false}},
    Rule{Action::kReadFlash, {true, true, false, false}},
    Rule{Action::kReadAsset, {true, true, true, true}},
    Rule{Action::kReadFuse, {true, true, true, true}},
    Rule{Action::kProve, {true, true, true, true}},
    Rule{Action::kActAsDevice, {true, true, true, false}},
    Rule{Action::kUseKey, {false, false, true, true}},
    Rule{Action::kStart, {false, false, true, true}},
    Rule{Action::kAskDebug, {false, false, true, true}},
    Rule{Action::kDebug, {true, true, false, false}},
};

std::string_view why_not(LifeCycle state) {
  switch (state) {
    case LifeCycle::kBlank:
    case LifeCycle::kProvisioning:
      return "no package is installed";
    case LifeCycle::kProvisioned:
      return "a package was installed";
    case LifeCycle::kLocked:
      return "the part is locked";
    case LifeCycle::kDamaged:
      break;
  }
  return "the life-cycle fuses are damaged";
}

}  // namespace

core::Status check_life_cycle(LifeCycle state, Action action, std::string_view what) {
  for (const auto& rule : kRules) {
    if (rule.action != action || state > LifeCycle::kLocked) continue;
    if (rule.permitted[static_cast<std::size_t>(state)]) return {};
  }
  return core::Error{core::ErrorCode::kLifeCycle,
                     std::string(what) + ": " + std::string(why_not(state))};
}

std::string_view life_cycle_name(LifeCycle state) {
  switch (state) {
    case LifeCycle::kBlank:
      return "blank";
    case LifeCycle::kProvisioning:
      return "provisioning";
    case LifeCycle::kProvisioned:
      return "provisioned";
    case LifeCycle::kLocked:
      return "locked";
    case LifeCycle::kDamaged:
      break;
  }
  return "damaged";
}

LifeCycle LifeCycleFuses::state() const {
  for (std::size_t i = 0; i < kCodes.size(); ++i) {
    if (bits_ == kCodes[i]) return static_cast<LifeCycle>(i);
  }
  return LifeCycle::kDamaged;
}

core::Status LifeCycleFuses::advance(LifeCycle to) {
  const auto from = state();
  if (from == LifeCycle::kDamaged || to > LifeCycle::kLocked || to <= from) {
    return core::Error{core::ErrorCode::kLifeCycle, "the life cycle does not go from " +
                                                        std::string(life_cycle_name(from)) +
                                                        " to " + std::string(life_cycle_name(to))};
  }
  bits_ |= kCodes[static_cast<std::size_t>(to)];
  return {};
}

}  // namespace tallystick::device
