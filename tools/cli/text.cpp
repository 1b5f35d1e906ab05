#include "tools/cli/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace tallystick::cli {
namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Calls `put` with each byte; false for a text that is not pairs of digits.
template <typename Put>
bool decode_pairs(std::string_view text, const Put& put) {
  bool first = true;
  while (!text.empty()) {
    if (!first && text.front() == ':') text.remove_prefix(1);
    first = false;
    if (text.size() < 2) return false;
    const int high = digit_value(text[0]);
    const int low = digit_value(text[1]);
    if (high < 0 || low < 0) return false;
    put(static_cast<std::uint8_t>(high * 16 + low));
    text.remove_prefix(2);
  }
  return true;
}

}  // namespace

std::optional<core::Bytes> from_hex(std::string_view text) {
  core::Bytes out;
  if (!decode_pairs(text, [&](std::uint8_t byte) { out.push_back(byte); })) return std::nullopt;
  return out;
}

std::optional<core::Secret> secret_from_hex(std::string_view text) {
  core::Secret out(text.size() / 2);
  std::size_t used = 0;
  const bool good = decode_pairs(text, [&](std::uint8_t byte) { out.span()[used++] = byte; });
  if (!good) return std::nullopt;
  out.truncate(used);
  return out;
}

std::optional<core::ByteArray<16>> uuid_from(std::string_view text) {
  constexpr std::array<std::size_t, 4> kDashes = {8, 13, 18, 23};
  std::string digits;
  if (text.size() == 36) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool dash = std::find(kDashes.begin(), kDashes.end(), i) != kDashes.end();
      if (dash != (text[i] == '-')) return std::nullopt;
      if (!dash) digits += text[i];
    }
  } else {
    digits = text;
  }
  if (digits.size() != 32) return std::nullopt;
  return array_from_hex<16>(digits);
}

std::string uuid_text(const core::ByteArray<16>& id) {
  std::string text = core::to_hex(id);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, "-");
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string with_decimals(double value, int decimals) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  return length > 0 ? std::string(buffer.data()) : std::string();
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

}  // namespace tallystick::cli
