// Channel: one end of a serial line, a terminal or a connection, that never blocks. What the other
// end does not take is lost after a while, as on a wire that nobody listens to; so a host that only
// talks cannot stop the part from hearing it.
#pragma once

#include <chrono>
#include <optional>

#include "core/base/bytes.h"
#include "devicesim/descriptor.h"

namespace tallystick::device {

using Clock = std::chrono::steady_clock;

// How fast bytes go over a line: ten bits each.
class Pace {
 public:
  // 0: as fast as they come.
  explicit Pace(std::uint32_t baud) : bytes_per_second_(baud / 10) {}
  [[nodiscard]] std::size_t allowed(Clock::time_point now) const;
  void spend(Clock::time_point now, std::size_t bytes);
  // When more is allowed.
  [[nodiscard]] Clock::time_point free_at() const { return free_at_; }

 private:
  std::uint32_t bytes_per_second_;
  Clock::time_point free_at_{};
};

class Channel {
 public:
  Channel() : Channel(Descriptor(), 0) {}
  // `fd` does not block.
  Channel(Descriptor fd, std::uint32_t baud) : fd_(std::move(fd)), in_(baud), out_(baud) {}

  [[nodiscard]] int descriptor() const { return fd_.get(); }
  [[nodiscard]] bool open() const { return fd_.open(); }
  void close();

  // What has come, at most what the pace allows; false when the other end has gone.
  bool read(Clock::time_point now, core::Bytes& bytes);
  // Says at once what can be said, and keeps the rest for flush().
  void say(Clock::time_point now, core::ByteView bytes);
  // False when the other end has gone.
  bool flush(Clock::time_point now);
  void discard_unsaid() { unsaid_.clear(); }

  // For the descriptor's readiness to be waited for.
  [[nodiscard]] bool may_read(Clock::time_point now) const { return in_.allowed(now) > 0; }
  [[nodiscard]] bool may_say(Clock::time_point now) const {
    return !unsaid_.empty() && out_.allowed(now) > 0;
  }
  // When the pace lets go on; nothing when it holds nothing back.
  [[nodiscard]] std::optional<Clock::time_point> held_until(Clock::time_point now) const;

 private:
  Descriptor fd_;
  Pace in_;
  Pace out_;
  core::Bytes unsaid_;
};

}  // namespace tallystick::device
