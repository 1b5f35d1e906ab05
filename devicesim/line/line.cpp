#include "devicesim/line/line.h"

#include <algorithm>

namespace tallystick::device {

Line::Line(PartTarget::PowerOn power_on, PartTarget::Log log)
    : target_(std::move(power_on), std::move(log)), session_(target_) {}

bool Line::serve(Port port, Clock::time_point now) {
  auto& channel = channels_[port];
  core::Bytes bytes;
  if (!channel.read(now, bytes)) return false;
  if (bytes.empty()) return true;
  heard_ = now;
  if (port != speaker_) session_.hang_up();
  speaker_ = port;
  core::ByteView input = bytes;
  for (;;) {
    const auto answer = session_.receive(input);
    if (answer.bytes.empty()) return true;
    if (answer.begins_anew) channel.discard_unsaid();
    channel.say(now, answer.bytes);
  }
}

void Line::hang_up(Port port) {
  channels_[port].close();
  if (port == speaker_) session_.hang_up();
}

std::optional<Clock::time_point> Line::next_time(Clock::time_point now) const {
  std::optional<Clock::time_point> next;
  const auto at = [&](Clock::time_point time) { next = next ? std::min(*next, time) : time; };
  if (session_.within_frame()) at(heard_ + kSilence);
  for (const auto& channel : channels_) {
    if (!channel.open()) continue;
    if (const auto held = channel.held_until(now)) at(*held);
  }
  return next;
}

void Line::serve_time(Clock::time_point now) {
  if (session_.within_frame() && now >= heard_ + kSilence) session_.silence();
  for (auto& channel : channels_) {
    if (channel.open()) (void)channel.flush(now);
  }
}

}  // namespace tallystick::device
