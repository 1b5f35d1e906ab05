// Bytes as they travel between rooms: views that own nothing, and vectors that own what is public.
// Secrets never live in these types; they live in core::Secret.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tallystick::core {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;
template <std::size_t N>
using ByteArray = std::array<std::uint8_t, N>;

// The bytes of a string, without a terminator.
inline ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// A view's bytes as text, unchecked: for names that were validated before.
inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Copies the first N bytes of `from`; the caller has checked that there are that many.
template <std::size_t N>
ByteArray<N> array_of(ByteView from) {
  ByteArray<N> out{};
  for (std::size_t i = 0; i < N; ++i) out[i] = from[i];
  return out;
}

// Public ids and digests are compared in constant time all the same, so that no caller has to ask
// which of the two functions is the right one. Lengths may differ: then the answer is false.
bool equal_in_constant_time(ByteView a, ByteView b);

bool all_zero(ByteView bytes);

// Lower-case hexadecimal digits, two a byte.
std::string to_hex(ByteView bytes);

}  // namespace tallystick::core
