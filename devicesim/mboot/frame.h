// Frames: what travels on the line. `5A type`, and behind it
//
//   CMD, DATA   u16 length ‖ u16 CRC ‖ payload     the CRC over all of it but itself
//   PINGR       u32 version ‖ u16 options ‖ u16 CRC
//   the others  nothing
//
// Integers are little-endian.
#pragma once

#include "core/base/bytes.h"

namespace tallystick::mboot {

constexpr std::uint8_t kStartByte = 0x5A;

enum class FrameType : std::uint8_t {
  kAck = 0xA1,
  kNack = 0xA2,
  kAbort = 0xA3,
  kCommand = 0xA4,
  kData = 0xA5,
  kPing = 0xA6,
  kPingResponse = 0xA7,
};

// ACK, NACK, ABORT and PING.
void append_frame(core::Bytes& out, FrameType type);
// CMD and DATA; a payload has at most 65535 bytes.
void append_frame(core::Bytes& out, FrameType type, core::ByteView payload);
void append_ping_response(core::Bytes& out, std::uint32_t version, std::uint16_t options);

}  // namespace tallystick::mboot
