// Secret: the one type for bytes that must not be seen. Its memory is locked where the system
// allows it, left out of core dumps, and wiped when it goes. It moves but is copied only by asking
// (clone), it has no stream operator, and it never converts to a string.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/bytes.h"

namespace tallystick::core {

class Secret {
 public:
  Secret() = default;
  // `size` zero bytes.
  explicit Secret(std::size_t size);
  // A copy of `bytes`; the caller wipes its own.
  static Secret copy_of(ByteView bytes);

  Secret(Secret&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  [[nodiscard]] Secret clone() const { return copy_of(view()); }
  [[nodiscard]] ByteView view() const { return {data_, size_}; }
  [[nodiscard]] MutableByteView span() { return {data_, size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // Shortens to `size` bytes; what is cut off is wiped. A larger size changes nothing.
  void truncate(std::size_t size);

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Wipes memory that held a secret in passing.
void wipe(MutableByteView bytes);

// For vectors that may hold something private among much that is public: ordinary memory, wiped
// before it is given back, also when a vector grows.
template <typename T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <typename Other>
  // NOLINTNEXTLINE(google-explicit-constructor): what the standard asks of an allocator
  WipingAllocator(const WipingAllocator<Other>& /*other*/) {}
  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) {
    wipe({reinterpret_cast<std::uint8_t*>(memory), count * sizeof(T)});
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const = default;
};
using WipedBytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;

}  // namespace tallystick::core
