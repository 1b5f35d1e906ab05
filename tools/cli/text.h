// Hexadecimal digits, UUIDs and other small texts that people type.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/secret.h"

namespace tallystick::cli {

// The largest number that 32 bits hold.
constexpr std::uint64_t kMost32 = 0xFFFFFFFF;

// Pairs of hexadecimal digits of either case, colons between pairs allowed; nothing for any other
// text.
std::optional<core::Bytes> from_hex(std::string_view text);
// The same for exactly N bytes.
template <std::size_t N>
std::optional<core::ByteArray<N>> array_from_hex(std::string_view text) {
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != N) return std::nullopt;
  return core::array_of<N>(*bytes);
}
// For digits that stand for a secret; no copy of it is left in an ordinary vector.
std::optional<core::Secret> secret_from_hex(std::string_view text);

// 8-4-4-4-12 or 32 digits.
std::optional<core::ByteArray<16>> uuid_from(std::string_view text);
std::string uuid_text(const core::ByteArray<16>& id);

std::string lower(std::string_view text);

std::string with_decimals(double value, int decimals);
// To three decimals, for figures that are measured.
double rounded(double value);

}  // namespace tallystick::cli
