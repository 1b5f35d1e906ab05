// CRC-16/XMODEM (polynomial 0x1021, from 0, nothing reflected): what finds the errors of a serial
// line. It keeps nobody out.
#pragma once

#include "core/base/bytes.h"

namespace tallystick::mboot {

// Goes on from `crc`, so that a sum can be taken in pieces.
std::uint16_t crc16(core::ByteView bytes, std::uint16_t crc = 0);

}  // namespace tallystick::mboot
