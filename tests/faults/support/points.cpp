#include "tests/faults/support/points.h"

#include <stdlib.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

namespace tallystick::test {
namespace {

std::string_view variable(const char* name) {
  const char* const value = getenv(name);
  return value != nullptr ? std::string_view(value) : std::string_view();
}

}  // namespace

bool try_all() { return variable("TALLYSTICK_FAULTS") == "all"; }

std::uint64_t stride(std::uint64_t points, std::uint64_t most) {
  return try_all() || points <= most ? 1 : (points + most - 1) / most;
}

bool wanted(const char* name) {
  return std::string_view(name).find(variable("TALLYSTICK_FAULTS_ONLY")) != std::string_view::npos;
}

Figures::~Figures() {
  (void)std::printf("figures: %s: %llu operations, %llu points\n", method_.c_str(),
                    static_cast<unsigned long long>(operations_),
                    static_cast<unsigned long long>(points_));
}

const std::vector<FailingMethod>& failing_methods() {
  using What = StoragePlan::What;
  static const std::vector<FailingMethod> all = {
      {"EIO once", {What::kFail, Counted::kChanges, 0, false, EIO}},
      {"EIO for good", {What::kFail, Counted::kChanges, 0, true, EIO}},
      {"ENOSPC once", {What::kFail, Counted::kGrowth, 0, false, ENOSPC}},
      {"ENOSPC for good", {What::kFail, Counted::kGrowth, 0, true, ENOSPC}},
      {"short write once", {What::kShortWrite, Counted::kGrowth, 0, false, ENOSPC}},
      {"short write, then ENOSPC", {What::kShortWrite, Counted::kGrowth, 0, true, ENOSPC}},
      {"EIO in a read", {What::kFail, Counted::kReads, 0, false, EIO}},
  };
  return all;
}

}  // namespace tallystick::test
