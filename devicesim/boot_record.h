// What a part remembers of its application slots (section 11 of docs/formats.md): which assets of
// the installed package they are, and how starting them went.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace tallystick::device {

constexpr std::size_t kApplicationSlots = 2;
// An application that was started so often and never confirmed itself is given up.
constexpr std::uint8_t kBootAttempts = 3;

struct ApplicationSlot {
  std::uint32_t slot = 0;  // of the installed package
  std::uint8_t attempts = 0;
  bool confirmed = false;
  bool operator==(const ApplicationSlot&) const = default;
};

struct BootRecord {
  std::vector<ApplicationSlot> slots;  // at most kApplicationSlots, rising
  // No application of a version below starts; only rises.
  std::uint32_t floor = 0;
  // The slot that the last boot started; nothing: none was.
  std::optional<std::uint32_t> last;
  bool operator==(const BootRecord&) const = default;
};

}  // namespace tallystick::device
