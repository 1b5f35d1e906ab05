#include "core/base/internal/locked_pool.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <sys/mman.h>

#include <array>
#include <bit>
#include <mutex>
#include <new>
#include <utility>

namespace tallystick::core::internal {
namespace {

constexpr std::size_t kSlabSize = 64UL * 1024;  // locked by one call, and handed out by pages
constexpr std::size_t kPage = 4096;
constexpr std::size_t kSmallest = 32;
constexpr std::size_t kLargest = kPage;  // beyond it a block has a mapping of its own
constexpr std::size_t kClasses = 8;      // 32, 64, … 4096

struct FreeBlock {
  FreeBlock* next;
};

// An allocator like malloc's is the one thing here that is shared by a whole process. It is never
// destroyed: secrets may still be released while the process exits.
struct Pool {
  std::mutex mutex;
  std::array<FreeBlock*, kClasses> free{};
  // What is left of the newest slab, whose pages blocks of any size take: a program that holds a
  // few keys locks one slab, which is as much as some systems allow it.
  std::uint8_t* fresh = nullptr;
  std::size_t fresh_size = 0;
};

alignas(Pool) std::array<std::byte, sizeof(Pool)> storage;

// A fork while another thread is in here would leave the child with a lock that nobody holds.
void lock_pool() { reinterpret_cast<Pool*>(storage.data())->mutex.lock(); }
void unlock_pool() { reinterpret_cast<Pool*>(storage.data())->mutex.unlock(); }

Pool& pool() {
  static Pool* const instance = [] {
    auto* const made = new (storage.data()) Pool;
    (void)pthread_atfork(lock_pool, unlock_pool, unlock_pool);
    return made;
  }();
  return *instance;
}

std::size_t class_of(std::size_t size) {
  const auto rounded = std::bit_ceil(size < kSmallest ? kSmallest : size);
  return static_cast<std::size_t>(std::countr_zero(rounded) - std::countr_zero(kSmallest));
}

std::uint8_t* map_locked(std::size_t size) {
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  // Both are best effort: a small RLIMIT_MEMLOCK must not stop the work.
  (void)mlock(memory, size);
  (void)madvise(memory, size, MADV_DONTDUMP);
  return static_cast<std::uint8_t*>(memory);
}

// A page for blocks of one size, or null. Under the pool's lock.
std::uint8_t* take_page(Pool& from) {
  if (from.fresh_size == 0) {
    from.fresh = map_locked(kSlabSize);
    if (from.fresh == nullptr) return nullptr;
    from.fresh_size = kSlabSize;
  }
  from.fresh_size -= kPage;
  return std::exchange(from.fresh, from.fresh + kPage);
}

}  // namespace

std::uint8_t* locked_allocate(std::size_t size) {
  if (size > kLargest) return map_locked(size);
  const auto index = class_of(size);
  const auto block_size = kSmallest << index;
  auto& shared = pool();
  const std::lock_guard lock(shared.mutex);
  if (shared.free[index] == nullptr) {
    auto* const page = take_page(shared);
    if (page == nullptr) return nullptr;
    for (std::size_t at = 0; at < kPage; at += block_size) {
      shared.free[index] = new (page + at) FreeBlock{shared.free[index]};
    }
  }
  auto* const block = shared.free[index];
  shared.free[index] = block->next;
  block->next = nullptr;
  return reinterpret_cast<std::uint8_t*>(block);
}

void locked_release(std::uint8_t* block, std::size_t size) noexcept {
  OPENSSL_cleanse(block, size);
  if (size > kLargest) {
    (void)munmap(block, size);
    return;
  }
  auto& shared = pool();
  const std::lock_guard lock(shared.mutex);
  auto& head = shared.free[class_of(size)];
  head = new (block) FreeBlock{head};
}

}  // namespace tallystick::core::internal
