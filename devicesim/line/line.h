// Line: a part with its session, and the channels that hosts reach it by. Hosts take turns: who
// speaks ends what the host on the other channel had begun.
#pragma once

#include <array>

#include "devicesim/line/channel.h"
#include "devicesim/line/part_target.h"
#include "devicesim/mboot/session.h"

namespace tallystick::device {

class Line {
 public:
  enum Port : std::uint8_t { kTerminal = 0, kConnection = 1 };
  static constexpr std::size_t kPorts = 2;

  Line(PartTarget::PowerOn power_on, PartTarget::Log log);
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() = default;

  Channel& channel(Port port) { return channels_[port]; }
  // Reads and answers; false when the other end has gone.
  bool serve(Port port, Clock::time_point now);
  // The host there is gone.
  void hang_up(Port port);

  // When serve_time() is to be called; nothing while only the descriptors are waited for.
  [[nodiscard]] std::optional<Clock::time_point> next_time(Clock::time_point now) const;
  void serve_time(Clock::time_point now);

 private:
  // Half a frame is forgotten when nothing has come for so long.
  static constexpr std::chrono::milliseconds kSilence{500};

  PartTarget target_;
  mboot::Session session_;
  std::array<Channel, kPorts> channels_;
  Port speaker_ = kTerminal;
  Clock::time_point heard_{};
};

}  // namespace tallystick::device
