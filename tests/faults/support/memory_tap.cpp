#include "tests/faults/support/memory_tap.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace tallystick::test {
namespace {

thread_local bool armed = false;
thread_local bool lasts = false;
thread_local bool hit = false;
thread_local std::uint64_t first = 0;
thread_local std::uint64_t counted = 0;

bool refused() {
  if (!armed) return false;
  const auto number = counted++;
  if (number < first || (number > first && !lasts)) return false;
  hit = true;
  errno = ENOMEM;
  return true;
}

}  // namespace

void MemoryTap::arm(std::uint64_t at, bool lasting) {
  first = at;
  lasts = lasting;
  counted = 0;
  hit = false;
  armed = true;
}

std::uint64_t MemoryTap::disarm() {
  armed = false;
  return counted;
}

bool MemoryTap::struck() { return hit; }

}  // namespace tallystick::test

// For every library in the process.
#pragma GCC visibility push(default)
extern "C" {

void* malloc(std::size_t size) noexcept {
  return tallystick::test::refused() ? nullptr : __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  return tallystick::test::refused() ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
  return tallystick::test::refused() ? nullptr : __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return tallystick::test::refused() ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  if (tallystick::test::refused()) return ENOMEM;
  *memory = __libc_memalign(alignment, size);
  return *memory != nullptr ? 0 : ENOMEM;
}
}
#pragma GCC visibility pop
