// The integers of mboot, least significant byte first (core::Reader's stand the other way round).
#pragma once

#include "core/base/bytes.h"

namespace tallystick::mboot {

// The caller has checked that the bytes are there.
inline std::uint16_t load16(core::ByteView at) {
  return static_cast<std::uint16_t>(at[0] | static_cast<unsigned>(at[1]) << 8U);
}
inline std::uint32_t load32(core::ByteView at) {
  return load16(at) | static_cast<std::uint32_t>(load16(at.subspan(2))) << 16U;
}
inline void append16(core::Bytes& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value & 0xFFU));
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
}
inline void append32(core::Bytes& out, std::uint32_t value) {
  append16(out, static_cast<std::uint16_t>(value & 0xFFFFU));
  append16(out, static_cast<std::uint16_t>(value >> 16U));
}

}  // namespace tallystick::mboot
