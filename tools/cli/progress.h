// A bar for long work, drawn on standard error and only when that is a terminal. Safe to step from
// several threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace tallystick::cli {

class Progress {
 public:
  // `wanted` false (--quiet, --json) draws nothing either.
  Progress(std::string what, std::uint64_t total, bool wanted);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void step(std::uint64_t by = 1);
  [[nodiscard]] double seconds() const;

 private:
  void draw() const;

  std::string what_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  bool shown_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point drawn_;
  std::mutex mutex_;
};

}  // namespace tallystick::cli
