// A process that is killed at one of its storage calls.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace tallystick::test {

struct Ran {
  bool acknowledged = false;  // the work said that it was done
  bool killed = false;
  int status = 0;  // what the process answered, or 256 and the signal
};

// Forks; the child does `begin`, then `work`, then `end`, and from `work` on is killed at its
// `at`th storage call in the folder. When `work` gives true the parent is told at once. A child
// that hangs is ended.
Ran run_to_kill(const std::string& folder, std::uint64_t at, const std::function<bool()>& work,
                const std::function<void()>& begin = {}, const std::function<void()>& end = {});
// Runs in a forked process and gives its status, as above.
int run_apart(const std::function<int()>& work);

}  // namespace tallystick::test
