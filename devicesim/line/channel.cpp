#include "devicesim/line/channel.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace tallystick::device {
namespace {

// Of what the other end has not taken.
constexpr std::size_t kMostUnsaid = 8192;

bool try_again(int error) { return error == EAGAIN || error == EINTR; }

}  // namespace

std::size_t Pace::allowed(Clock::time_point now) const {
  if (bytes_per_second_ == 0) return SIZE_MAX;
  if (now < free_at_) return 0;
  // Some ten milliseconds' worth at once.
  return std::max<std::size_t>(1, bytes_per_second_ / 100);
}

void Pace::spend(Clock::time_point now, std::size_t bytes) {
  if (bytes_per_second_ == 0) return;
  const auto nanoseconds = 1'000'000'000ULL * bytes / bytes_per_second_;
  free_at_ =
      std::max(now, free_at_) + std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds));
}

void Channel::close() {
  fd_.close();
  unsaid_.clear();
}

bool Channel::read(Clock::time_point now, core::Bytes& bytes) {
  std::array<std::uint8_t, 4096> buffer{};
  bytes.clear();
  const auto most = std::min(buffer.size(), in_.allowed(now));
  if (most == 0) return true;
  const auto count = ::read(fd_.get(), buffer.data(), most);
  if (count < 0) return try_again(errno);
  if (count == 0) return false;
  bytes.assign(buffer.begin(), buffer.begin() + count);
  in_.spend(now, bytes.size());
  return true;
}

void Channel::say(Clock::time_point now, core::ByteView bytes) {
  if (unsaid_.size() + bytes.size() > kMostUnsaid) unsaid_.clear();
  unsaid_.insert(unsaid_.end(), bytes.begin(), bytes.end());
  // That the other end has gone is found when it is read from.
  (void)flush(now);
}

bool Channel::flush(Clock::time_point now) {
  while (may_say(now)) {
    const auto most = std::min(unsaid_.size(), out_.allowed(now));
    const auto count = ::write(fd_.get(), unsaid_.data(), most);
    if (count < 0) return try_again(errno);
    out_.spend(now, static_cast<std::size_t>(count));
    unsaid_.erase(unsaid_.begin(), unsaid_.begin() + count);
  }
  return true;
}

std::optional<Clock::time_point> Channel::held_until(Clock::time_point now) const {
  std::optional<Clock::time_point> until;
  if (in_.allowed(now) == 0) until = in_.free_at();
  if (!unsaid_.empty() && out_.allowed(now) == 0) {
    until = until ? std::min(*until, out_.free_at()) : out_.free_at();
  }
  return until;
}

}  // namespace tallystick::device
