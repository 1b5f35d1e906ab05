#include "tests/secrets/shared_memory.h"

#include <pthread.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <new>
#include <stdexcept>

namespace {

// Of this thread, so that a forked process and other threads allocate as always.
thread_local bool sharing = false;
std::atomic<std::uintptr_t> shared_start{0};
constexpr std::size_t kSize = 4UL << 30;  // of addresses; pages come as they are used
constexpr std::size_t kStack = 8UL << 20;

bool is_shared(const void* memory) {
  const auto start = shared_start.load(std::memory_order_relaxed);
  const auto at = reinterpret_cast<std::uintptr_t>(memory);
  return start != 0 && at >= start && at - start < kSize;
}

void* get(std::size_t size, std::size_t alignment) {
  if (sharing) return tallystick::test::SharedMemory::instance().allocate(size, alignment);
  void* const memory =
      std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// What was shared is not used again: the test is over soon.
void put(void* memory) {
  if (!is_shared(memory)) std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  if (sharing) return get(size, 16);
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return get(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { put(memory); }
void operator delete(void* memory, std::size_t) noexcept { put(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { put(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { put(memory); }

namespace tallystick::test {

SharedMemory::SharedMemory() {
  void* const memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || madvise(memory, kSize, MADV_DONTDUMP) != 0) {
    throw std::runtime_error("no shared memory");
  }
  start_ = reinterpret_cast<std::uintptr_t>(memory);
  next_ = start_;
  shared_start = start_;
}

SharedMemory& SharedMemory::instance() {
  static SharedMemory memory;
  return memory;
}

void* SharedMemory::allocate(std::size_t size, std::size_t alignment) {
  const auto at = (next_ + alignment - 1) / alignment * alignment;
  if (size > kSize - (at - start_)) throw std::bad_alloc();
  next_ = at + size;
  return reinterpret_cast<void*>(at);
}

bool SharedMemory::holds(const void* memory) const { return is_shared(memory); }

void in_shared_memory(const std::function<void()>& body) {
  struct Work {
    const std::function<void()>& body;
    std::exception_ptr thrown;
  } work{body, nullptr};
  auto* const stack = SharedMemory::instance().allocate(kStack, 1UL << 16);
  pthread_attr_t attributes;
  pthread_t thread{};
  (void)pthread_attr_init(&attributes);
  (void)pthread_attr_setstack(&attributes, stack, kStack);
  const auto start = [](void* given) -> void* {
    auto& mine = *static_cast<Work*>(given);
    sharing = true;
    try {
      mine.body();
    } catch (...) {
      mine.thrown = std::current_exception();
    }
    sharing = false;
    return nullptr;
  };
  if (pthread_create(&thread, &attributes, start, &work) != 0) {
    throw std::runtime_error("no thread");
  }
  (void)pthread_join(thread, nullptr);
  (void)pthread_attr_destroy(&attributes);
  if (work.thrown) std::rethrow_exception(work.thrown);
}

}  // namespace tallystick::test
