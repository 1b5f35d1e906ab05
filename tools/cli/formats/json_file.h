// JSON that comes from outside: small, shallow, never an exception.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "core/base/bytes.h"
#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tallystick::cli {

// A discarded value when the text is not JSON or is nested deeper than any of our files.
nlohmann::json parse_json(core::ByteView text);

// The text of a member; empty when it is not there or not a text.
std::string text_member(const nlohmann::json& document, std::string_view key);
// An unsigned number of at most `most`.
std::optional<std::uint64_t> number_member(const nlohmann::json& document, std::string_view key,
                                           std::uint64_t most);
template <std::size_t N>
std::optional<core::ByteArray<N>> hex_member(const nlohmann::json& document, std::string_view key) {
  return array_from_hex<N>(text_member(document, key));
}

// A file of at most 64 KiB whose document is an object and says what it is: "format": `format`.
Outcome<nlohmann::json> read_json_file(const std::string& path, std::string_view format);

}  // namespace tallystick::cli
