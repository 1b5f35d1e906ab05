// Memory that the test shares with the process under test, at one address in both: what the test
// hands to the module lies there and nowhere in the other process's own memory, which can then be
// searched for what the product has left in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace tallystick::test {

class SharedMemory {
 public:
  // Maps it. Once a process; left out of core dumps.
  static SharedMemory& instance();

  [[nodiscard]] std::uintptr_t start() const { return start_; }
  void* allocate(std::size_t size, std::size_t alignment = 16);
  [[nodiscard]] bool holds(const void* memory) const;

 private:
  SharedMemory();
  std::uintptr_t start_ = 0;
  std::uintptr_t next_ = 0;
};

// Runs `body` in a thread whose stack, and everything that it allocates with new, lies in shared
// memory. An exception that leaves the body goes on here.
void in_shared_memory(const std::function<void()>& body);

}  // namespace tallystick::test
