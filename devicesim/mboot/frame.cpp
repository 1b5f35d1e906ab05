#include "devicesim/mboot/frame.h"

#include "devicesim/mboot/crc16.h"
#include "devicesim/mboot/little_endian.h"

namespace tallystick::mboot {

void append_frame(core::Bytes& out, FrameType type) {
  out.push_back(kStartByte);
  out.push_back(static_cast<std::uint8_t>(type));
}

void append_frame(core::Bytes& out, FrameType type, core::ByteView payload) {
  const auto start = out.size();
  append_frame(out, type);
  append16(out, static_cast<std::uint16_t>(payload.size()));
  append16(out, crc16(payload, crc16(core::ByteView(out).subspan(start))));
  out.insert(out.end(), payload.begin(), payload.end());
}

void append_ping_response(core::Bytes& out, std::uint32_t version, std::uint16_t options) {
  const auto start = out.size();
  append_frame(out, FrameType::kPingResponse);
  append32(out, version);
  append16(out, options);
  append16(out, crc16(core::ByteView(out).subspan(start)));
}

}  // namespace tallystick::mboot
