// RamBuffer: an address and a size in the RAM, as the NXP-shaped commands name what they read and
// write. Whoever asks checks first and copies then: nothing that a command writes changes what it
// has read, and an output may stand where an input stood.
#pragma once

#include <optional>
#include <span>

#include "core/base/secret.h"
#include "devicesim/line/ram.h"

namespace tallystick::device {

struct RamBuffer {
  std::uint32_t address = 0;
  std::uint32_t size = 0;

  [[nodiscard]] bool in_ram() const { return Ram::contains(address, size); }
  // A copy of its bytes; in_ram() was asked before.
  [[nodiscard]] core::Secret read(const Ram& ram) const {
    core::Secret out(size);
    ram.read(address, out.span());
    return out;
  }
  [[nodiscard]] bool overlaps(const RamBuffer& other) const {
    return std::uint64_t{address} < std::uint64_t{other.address} + other.size &&
           std::uint64_t{other.address} < std::uint64_t{address} + size;
  }
};

// Pairs of parameters, as many as there are whole ones from `first` on.
inline RamBuffer buffer_at(std::span<const std::uint32_t> parameters, std::size_t first) {
  return {parameters[first], parameters[first + 1]};
}

}  // namespace tallystick::device
