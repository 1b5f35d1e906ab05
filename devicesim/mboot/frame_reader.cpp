#include "devicesim/mboot/frame_reader.h"

#include <algorithm>

#include "devicesim/mboot/crc16.h"
#include "devicesim/mboot/little_endian.h"

namespace tallystick::mboot {
namespace {

constexpr std::size_t kLengthAndCrc = 4;
constexpr std::size_t kPingFields = 8;

// Moves up to `count - out.size()` bytes; true when `out` is then full.
bool fill(core::Bytes& out, std::size_t count, core::ByteView& input) {
  const auto taken = input.first(std::min(count - out.size(), input.size()));
  out.insert(out.end(), taken.begin(), taken.end());
  input = input.subspan(taken.size());
  return out.size() == count;
}

std::uint16_t crc_of_start(FrameType type) {
  const core::ByteArray<2> start = {kStartByte, static_cast<std::uint8_t>(type)};
  return crc16(start);
}

}  // namespace

FrameReader::Event FrameReader::next(core::ByteView& input) {
  while (!input.empty()) {
    auto event = Event::kNone;
    switch (place_) {
      case Place::kBefore: {
        const auto start = std::ranges::find(input, kStartByte);
        input = input.subspan(static_cast<std::size_t>(start - input.begin()));
        if (input.empty()) return Event::kNone;
        input = input.subspan(1);
        place_ = Place::kType;
        break;
      }
      case Place::kType: {
        const auto byte = input.front();
        input = input.subspan(1);
        event = take_type(byte);
        break;
      }
      case Place::kFields:
        if (fill(fields_, fields_size_, input)) event = take_fields();
        break;
      case Place::kPayload:
        if (fill(payload_, payload_size_, input)) event = end_payload();
        break;
    }
    if (event != Event::kNone) return event;
  }
  return Event::kNone;
}

FrameReader::Event FrameReader::take_type(std::uint8_t byte) {
  if (byte == kStartByte) return Event::kNone;  // the one before was none, or came twice
  place_ = Place::kBefore;
  fields_.clear();
  payload_.clear();
  type_ = static_cast<FrameType>(byte);
  switch (type_) {
    case FrameType::kAck:
    case FrameType::kNack:
    case FrameType::kAbort:
    case FrameType::kPing:
      return Event::kFrame;
    case FrameType::kCommand:
    case FrameType::kData:
      fields_size_ = kLengthAndCrc;
      place_ = Place::kFields;
      return Event::kNone;
    case FrameType::kPingResponse:
      fields_size_ = kPingFields;
      place_ = Place::kFields;
      return Event::kNone;
  }
  return Event::kNone;
}

FrameReader::Event FrameReader::take_fields() {
  place_ = Place::kBefore;
  const core::ByteView fields = fields_;
  if (type_ == FrameType::kPingResponse) {
    if (crc16(fields.first(6), crc_of_start(type_)) != load16(fields.subspan(6))) {
      return Event::kDamaged;
    }
    version_ = load32(fields);
    options_ = load16(fields.subspan(4));
    return Event::kFrame;
  }
  payload_size_ = load16(fields);
  crc_ = load16(fields.subspan(2));
  if (payload_size_ > most_payload_) return Event::kDamaged;
  if (payload_size_ == 0) return end_payload();
  place_ = Place::kPayload;
  return Event::kNone;
}

FrameReader::Event FrameReader::end_payload() {
  place_ = Place::kBefore;
  const auto sum = crc16(core::ByteView(fields_).first(2), crc_of_start(type_));
  return crc16(payload_, sum) == crc_ ? Event::kFrame : Event::kDamaged;
}

}  // namespace tallystick::mboot
