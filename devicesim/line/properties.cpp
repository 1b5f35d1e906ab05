// What a part answers to get-property.
#include <algorithm>

#include "devicesim/line/part_target.h"
#include "devicesim/mboot/little_endian.h"

namespace tallystick::device {

using mboot::StatusCode;

namespace {

enum class Property : std::uint32_t {
  kVersion = 0x01,
  kFlashStart = 0x03,
  kFlashSize = 0x04,
  kFlashSector = 0x05,
  kCommands = 0x07,
  kLargestPacket = 0x0B,
  kRamStart = 0x0E,
  kRamSize = 0x0F,
  kSecurityState = 0x11,
  kUniqueId = 0x12,
  kTargetVersion = 0x18,
};

constexpr std::uint32_t kUnsecure = 0x5AA55AA5;
constexpr std::uint32_t kSecure = 0xC33CC33C;
// As many as NXP's parts have: the front of the part's id.
constexpr std::size_t kIdWords = 4;

// Addresses on the line have 32 bits; what lies beyond cannot be reached.
std::uint32_t reachable(const MemoryMap& map) {
  if (map.flash_base > UINT32_MAX) return 0;
  const auto room = (std::uint64_t{1} << 32U) - map.flash_base;
  return static_cast<std::uint32_t>(std::min({map.flash_size, room, std::uint64_t{UINT32_MAX}}));
}

}  // namespace

StatusCode PartTarget::property(std::uint32_t id, std::uint32_t index, Parameters& out) {
  if (is_vendor_property(id)) return vendor_property(id, index, out);
  const auto known = static_cast<Property>(id);
  const auto one = [&](std::uint32_t word) {
    out = {word};
    return StatusCode::kSuccess;
  };
  switch (known) {
    case Property::kVersion:
      return one(kVersion);
    case Property::kCommands:
      return one(command_bitmap());
    case Property::kLargestPacket:
      return one(kLargestPacket);
    case Property::kTargetVersion:
      return one(kTargetVersion);
    // Hosts count the memories by asking until there is none.
    case Property::kRamStart:
      return index == 0 ? one(Ram::kStart) : StatusCode::kInvalidArgument;
    case Property::kRamSize:
      return index == 0 ? one(Ram::kSize) : StatusCode::kInvalidArgument;
    case Property::kFlashSector:
      return index == 0 ? one(kSector) : StatusCode::kInvalidArgument;
    case Property::kFlashStart:
    case Property::kFlashSize:
      if (index != 0) return StatusCode::kInvalidArgument;
      break;
    case Property::kSecurityState:
    case Property::kUniqueId:
      break;
    default:
      return StatusCode::kUnknownProperty;
  }
  const auto* const on = part();
  if (on == nullptr) return unavailable_;
  switch (known) {
    case Property::kFlashStart:
      return one(reachable(on->memory_map()) == 0
                     ? 0
                     : static_cast<std::uint32_t>(on->memory_map().flash_base));
    case Property::kFlashSize:
      return one(reachable(on->memory_map()));
    case Property::kSecurityState:
      return one(on->life_cycle() > LifeCycle::kProvisioning ? kSecure : kUnsecure);
    default:
      break;
  }
  for (std::size_t i = 0; i < kIdWords; ++i) {
    out.push_back(mboot::load32(core::ByteView(on->id()).subspan(4 * i)));
  }
  return StatusCode::kSuccess;
}

}  // namespace tallystick::device
