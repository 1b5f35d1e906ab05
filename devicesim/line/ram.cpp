#include "devicesim/line/ram.h"

#include <algorithm>

namespace tallystick::device {

bool Ram::contains(std::uint64_t address, std::uint64_t length) {
  if (address < kStart) return false;
  const auto offset = address - kStart;
  return offset <= kSize && length <= kSize - offset;
}

void Ram::write(std::uint64_t address, core::ByteView data) {
  if (bytes_.empty()) bytes_.resize(kSize);
  std::ranges::copy(data, bytes_.begin() + static_cast<std::ptrdiff_t>(address - kStart));
}

void Ram::read(std::uint64_t address, core::MutableByteView out) const {
  if (bytes_.empty()) {
    std::ranges::fill(out, std::uint8_t{0});
    return;
  }
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(address - kStart), out.size(),
              out.begin());
}

}  // namespace tallystick::device
