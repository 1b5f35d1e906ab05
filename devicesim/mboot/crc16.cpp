#include "devicesim/mboot/crc16.h"

namespace tallystick::mboot {

std::uint16_t crc16(core::ByteView bytes, std::uint16_t crc) {
  // Eight bits at a time: the polynomial has its terms at 0, 5 and 12.
  for (const auto byte : bytes) {
    unsigned x = (static_cast<unsigned>(crc) >> 8U) ^ byte;
    x ^= x >> 4U;
    crc =
        static_cast<std::uint16_t>((static_cast<unsigned>(crc) << 8U) ^ (x << 12U) ^ (x << 5U) ^ x);
  }
  return crc;
}

}  // namespace tallystick::mboot
