// Target: what a session drives, a part with its memories behind the protocol. Nothing in it knows
// of frames.
#pragma once

#include "devicesim/mboot/packet.h"

namespace tallystick::mboot {

// What a target says to a command.
struct Reply {
  enum class Data : std::uint8_t { kNone, kFromHost, kToHost };

  Packet packet;
  // A data phase only where the packet's status is success.
  Data data = Data::kNone;
  std::uint64_t length = 0;  // of the data phase, in bytes
};

class Target {
 public:
  virtual ~Target() = default;

  // What a ping is answered with.
  [[nodiscard]] virtual std::uint32_t protocol_version() const = 0;
  // The most bytes of a DATA frame, in both directions.
  [[nodiscard]] virtual std::size_t largest_packet() const = 0;

  // After a reply with a data phase come calls of write() or read(), then one of finish() or
  // abandon(); before the next execute() in any case.
  virtual Reply execute(const Packet& command) = 0;
  // The next bytes from the host; all together as many as the reply said.
  virtual StatusCode write(core::ByteView data) = 0;
  // The next bytes to the host.
  virtual StatusCode read(core::MutableByteView out) = 0;
  // All data has been written or read. The status is the command's.
  virtual StatusCode finish() = 0;
  // The data phase ends early, also after an error of write() or read(): nothing has happened.
  // May come more than once.
  virtual void abandon() = 0;
};

}  // namespace tallystick::mboot
