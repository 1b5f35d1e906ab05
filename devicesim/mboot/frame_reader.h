// FrameReader: finds frames in what a line delivers, in pieces of any size. What stands before a
// frame is passed over, leading zeros as much as garbage; a length beyond the cap is never waited
// for.
#pragma once

#include "devicesim/mboot/frame.h"

namespace tallystick::mboot {

class FrameReader {
 public:
  enum class Event : std::uint8_t {
    kNone,     // the input is used up
    kFrame,    // type(), payload(), and for a PINGR version() and options()
    kDamaged,  // a CMD, DATA or PINGR whose CRC does not hold, or one that says it is too long
  };

  // The longest payload that is taken.
  explicit FrameReader(std::size_t most_payload) : most_payload_(most_payload) {}

  // Takes bytes from the front of `input`, at most to the end of the next frame.
  Event next(core::ByteView& input);

  // After kFrame, until the next call.
  [[nodiscard]] FrameType type() const { return type_; }
  [[nodiscard]] core::ByteView payload() const { return payload_; }
  [[nodiscard]] std::uint32_t version() const { return version_; }
  [[nodiscard]] std::uint16_t options() const { return options_; }

  // Part of a frame has come.
  [[nodiscard]] bool within_frame() const { return place_ != Place::kBefore; }
  // Forgets that part: whoever sent it is gone.
  void restart() { place_ = Place::kBefore; }

 private:
  // Where in a frame the next byte belongs.
  enum class Place : std::uint8_t { kBefore, kType, kFields, kPayload };

  Event take_type(std::uint8_t byte);
  Event take_fields();
  Event end_payload();

  std::size_t most_payload_;
  Place place_ = Place::kBefore;
  FrameType type_ = FrameType::kAck;
  core::Bytes fields_;  // of fixed size, behind the type
  std::size_t fields_size_ = 0;
  std::size_t payload_size_ = 0;
  std::uint16_t crc_ = 0;  // as the frame says
  core::Bytes payload_;
  std::uint32_t version_ = 0;
  std::uint16_t options_ = 0;
};

}  // namespace tallystick::mboot
