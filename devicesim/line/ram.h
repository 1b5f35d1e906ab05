// The RAM that a host on the serial line may use: 128 KiB at 0x20000000, zeros after power-on. It
// takes no memory until it is first written.
#pragma once

#include "core/base/bytes.h"

namespace tallystick::device {

class Ram {
 public:
  static constexpr std::uint32_t kStart = 0x20000000;
  static constexpr std::uint32_t kSize = 128 * 1024;

  // The whole range lies in it.
  [[nodiscard]] static bool contains(std::uint64_t address, std::uint64_t length);

  // contains() was asked before.
  void write(std::uint64_t address, core::ByteView data);
  void read(std::uint64_t address, core::MutableByteView out) const;
  void clear() { bytes_ = {}; }

 private:
  core::Bytes bytes_;  // empty: all zeros
};

}  // namespace tallystick::device
