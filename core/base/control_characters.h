// Control characters in the text of a file. No format of ours has any besides tabs and ends of
// lines, and parsers of such formats need not be tried with them: toml++ 3.3 ends the process over
// some.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tallystick::core {

// The line, counted from 1, of the first one; nothing: there is none.
inline std::optional<std::uint32_t> line_with_control_character(std::string_view text) {
  const auto is_one = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
           c == 0x7F;
  };
  const auto first = std::ranges::find_if(text, is_one);
  if (first == text.end()) return std::nullopt;
  return static_cast<std::uint32_t>(1 + std::count(text.begin(), first, '\n'));
}

}  // namespace tallystick::core
