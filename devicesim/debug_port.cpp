#include "devicesim/debug_port.h"

#include <array>
#include <bit>

namespace tallystick::device {
namespace {

constexpr std::array<std::uint64_t, 3> kCodes = {0, 0x6666666666666666, 0xFFFFFFFFFFFFFFFF};
static_assert(std::popcount(kCodes[0] ^ kCodes[1]) >= 32);
static_assert(std::popcount(kCodes[1] ^ kCodes[2]) >= 32);

}  // namespace

Return ReturnFuses::state() const {
  for (std::size_t i = 0; i < kCodes.size(); ++i) {
    if (bits_ == kCodes[i]) return static_cast<Return>(i);
  }
  return Return::kDamaged;
}

core::Status ReturnFuses::advance(Return to) {
  const auto from = state();
  if (from == Return::kDamaged || to > Return::kOpen || to <= from) {
    return core::Error{core::ErrorCode::kLifeCycle, "a part is returned once"};
  }
  bits_ |= kCodes[static_cast<std::size_t>(to)];
  return {};
}

}  // namespace tallystick::device
