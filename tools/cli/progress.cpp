#include "tools/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "tools/cli/text.h"

namespace tallystick::cli {
namespace {

constexpr std::uint64_t kWidth = 30;
constexpr auto kBetweenDraws = std::chrono::milliseconds(100);

}  // namespace

Progress::Progress(std::string what, std::uint64_t total, bool wanted)
    : what_(std::move(what)),
      total_(total),
      shown_(wanted && ::isatty(STDERR_FILENO) == 1),
      start_(std::chrono::steady_clock::now()),
      drawn_(start_ - kBetweenDraws) {}

Progress::~Progress() {
  // The line is left empty for what the command says next.
  if (shown_) std::cerr << "\r\x1b[K" << std::flush;
}

void Progress::step(std::uint64_t by) {
  const std::lock_guard lock(mutex_);
  done_ += by;
  if (!shown_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - drawn_ < kBetweenDraws && done_ < total_) return;
  drawn_ = now;
  draw();
}

double Progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void Progress::draw() const {
  const std::uint64_t filled = total_ == 0 ? kWidth : std::min(kWidth, done_ * kWidth / total_);
  const double passed = seconds();
  const double rate = passed > 0 ? static_cast<double>(done_) / passed : 0;
  std::cerr << '\r' << what_ << " [" << std::string(filled, '#')
            << std::string(kWidth - filled, '.') << "] " << done_ << '/' << total_ << ", "
            << with_decimals(rate, 1) << " per second\x1b[K" << std::flush;
}

}  // namespace tallystick::cli
