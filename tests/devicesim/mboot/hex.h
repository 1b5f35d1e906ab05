// Bytes from hexadecimal digits; spaces are passed over.
#pragma once

#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace tallystick::test {

inline core::Bytes from_hex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ') digits += c;
  }
  core::Bytes out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
  }
  return out;
}

}  // namespace tallystick::test
