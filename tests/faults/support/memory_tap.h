// The memory that this process takes, from whatever library: counted, and refused from the n-th
// time on or once. malloc() and its like stand here before the C library's.
#pragma once

#include <cstdint>

namespace tallystick::test {

class MemoryTap {
 public:
  // From here on this thread's n-th request (the first is 0) is refused, and with `lasting` all
  // later ones.
  static void arm(std::uint64_t at, bool lasting);
  // How many requests there were since.
  static std::uint64_t disarm();
  static bool struck();
};

}  // namespace tallystick::test
