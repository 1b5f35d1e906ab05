// What the text of a TOML file of ours never has, found before a parser sees it: toml++ 3.3 ends
// the process over some control characters, and its behaviour over some characters outside ASCII,
// where no text in quotes is, is not defined.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tallystick::core {

struct TomlObjection {
  std::uint32_t line = 0;  // counted from 1
  std::string_view what;
};

// The first control character other than tabs and ends of lines, or character outside ASCII that
// stands neither in a comment nor in quotes that begin and end on one line. Nothing: there is none.
std::optional<TomlObjection> objection_to_toml(std::string_view text);

}  // namespace tallystick::core
