// Memory: what a caller's pointers name. Each block is allocated by itself and has exactly the size
// that is stated, so that the address sanitizer sees the first byte too far in both directions.
#pragma once

#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "core/base/bytes.h"

namespace tallystick::fuzz {

class Memory {
 public:
  std::uint8_t* room(std::size_t size) {
    blocks_.push_back(std::make_unique<std::uint8_t[]>(size));
    return blocks_.back().get();
  }
  std::uint8_t* copy(core::ByteView bytes) {
    auto* const out = room(bytes.size());
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    return out;
  }
  template <typename T>
  T* structure(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    auto* const out = room(sizeof value);
    std::memcpy(out, &value, sizeof value);
    return reinterpret_cast<T*>(out);
  }
  template <typename T>
  T* array(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    auto* const out = room(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(out, values.data(), values.size() * sizeof(T));
    return reinterpret_cast<T*>(out);
  }

 private:
  std::vector<std::unique_ptr<std::uint8_t[]>> blocks_;
};

}  // namespace tallystick::fuzz
