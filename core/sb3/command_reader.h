// CommandReader: the decrypted data of an SB3.1 container as a stream of commands. It holds one
// command's head at a time; a load of any length passes through it in pieces.
#pragma once

#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/sb3/command.h"

namespace tallystick::core::sb3 {

// Is told of commands in their order. An error ends the stream and is passed on.
class CommandSink {
 public:
  virtual ~CommandSink() = default;
  virtual Status begin(const Command& command) = 0;
  // Where Command::has_data(): pieces of together `length` bytes.
  virtual Status data(ByteView piece) = 0;
  virtual Status end() = 0;
};

class CommandReader {
 public:
  // `total`: bytes of data that the container's blocks have together.
  CommandReader(std::uint64_t total, CommandSink& sink)
      : left_(total), total_(total), sink_(&sink) {}

  // Data in pieces of whole 16-byte units. kMalformed, or what the sink said.
  Status update(ByteView data);
  // After the last piece: everything was there.
  [[nodiscard]] Status finish() const;

 private:
  enum class Expect : std::uint8_t { kSection, kCommand, kDetails, kData, kTrailer, kPadding };

  Status take(ByteView unit);
  Status take_section(ByteView unit);
  Status take_command(ByteView unit);
  Status take_details(ByteView unit);
  Status take_data(ByteView unit);
  // The command's head is complete.
  Status begin();
  Status end();
  // `size` bytes of the section are used up.
  Status use(std::uint64_t size);

  std::uint64_t left_;  // bytes to come
  std::uint64_t total_;
  std::uint64_t section_left_ = 0;
  std::uint64_t data_left_ = 0;
  std::uint64_t trailer_left_ = 0;
  Expect expect_ = Expect::kSection;
  Command command_;
  CommandSink* sink_;
};

}  // namespace tallystick::core::sb3
