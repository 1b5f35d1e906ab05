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

}  // namespace

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
