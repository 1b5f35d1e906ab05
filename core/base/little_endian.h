// Integers with the least significant byte first, as NXP's protocols and containers have them; the
// profile's own stand the other way round (reader.h).
#pragma once

#include "core/base/bytes.h"

namespace tallystick::core::little_endian {

// The caller has checked that the bytes are there.
inline std::uint16_t load16(ByteView at) {
  return static_cast<std::uint16_t>(at[0] | static_cast<unsigned>(at[1]) << 8U);
}
inline std::uint32_t load32(ByteView at) {
  return load16(at) | static_cast<std::uint32_t>(load16(at.subspan(2))) << 16U;
}
inline std::uint64_t load64(ByteView at) {
  return load32(at) | static_cast<std::uint64_t>(load32(at.subspan(4))) << 32U;
}
inline void append16(Bytes& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value & 0xFFU));
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
}
inline void append32(Bytes& out, std::uint32_t value) {
  append16(out, static_cast<std::uint16_t>(value & 0xFFFFU));
  append16(out, static_cast<std::uint16_t>(value >> 16U));
}
inline void append64(Bytes& out, std::uint64_t value) {
  append32(out, static_cast<std::uint32_t>(value & 0xFFFFFFFFU));
  append32(out, static_cast<std::uint32_t>(value >> 32U));
}

}  // namespace tallystick::core::little_endian
