// Input: a fuzzer's bytes, taken from the front. What is not there reads as zero or empty, so that
// every input means something and none is refused.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "core/base/bytes.h"

namespace tallystick::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}
  explicit Input(core::ByteView bytes) : rest_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t u64() { return integer(8); }
  bool flag() { return (u8() & 1U) != 0; }

  // Mostly small, with the edges at which sizes and counts go wrong (A60), and any 32 or 64 bits.
  std::uint64_t number() {
    static constexpr std::array<std::uint64_t, 14> kEdges = {
        128,   192,   256,        521,        1024,        2048,        4096,
        65535, 65536, 0x7FFFFFFF, 0xFFFFFFFF, 1ULL << 32U, 1ULL << 63U, ~std::uint64_t{0}};
    const auto first = u8();
    if (first < 0xF0) return first;
    if (first == 0xFE) return u32();
    if (first == 0xFF) return u64();
    return kEdges[first - 0xF0U];
  }

  // The next bytes, as many as there are of `count`.
  core::ByteView take(std::size_t count) {
    const auto taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  // A length of one byte, of two more where it is 255, and that many bytes.
  core::ByteView chunk() {
    const std::size_t length = u8();
    return take(length == 255 ? u16() : length);
  }
  template <typename T, std::size_t N>
  const T& pick(const std::array<T, N>& from) {
    return from[u8() % N];
  }
  template <typename T>
  const T& pick(std::span<const T> from) {
    return from[u8() % from.size()];
  }
  core::ByteView rest() { return take(rest_.size()); }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::uint64_t integer(std::size_t width) {
    std::uint64_t value = 0;
    for (const auto byte : take(width)) value = value << 8U | byte;
    return value;
  }

  core::ByteView rest_;
};

}  // namespace tallystick::fuzz
