// How many points of an operation are tried, by which methods, and how many were.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/faults/support/storage_tap.h"

namespace tallystick::test {

// Every point when $TALLYSTICK_FAULTS is "all", else a sample.
bool try_all();
// The step that takes about `most` of `points`, spread evenly; 1 for all.
std::uint64_t stride(std::uint64_t points, std::uint64_t most);
// Whether what has this name is to be tried: $TALLYSTICK_FAULTS_ONLY is a part of it or not set.
bool wanted(const char* name);

// Counts points and prints them at the end: "METHOD: N operations, M points".
class Figures {
 public:
  explicit Figures(std::string method) : method_(std::move(method)) {}
  Figures(const Figures&) = delete;
  Figures& operator=(const Figures&) = delete;
  ~Figures();
  void operation() { ++operations_; }
  void point() { ++points_; }

 private:
  std::string method_;
  std::uint64_t operations_ = 0;
  std::uint64_t points_ = 0;
};

// The ways in which storage calls fail.
struct FailingMethod {
  const char* name;
  StoragePlan plan;
};
const std::vector<FailingMethod>& failing_methods();

}  // namespace tallystick::test
