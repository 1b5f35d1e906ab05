// What the command reads and prints: hexadecimal digits, names that come from strangers, parts.
#pragma once

#include <iosfwd>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "devicesim/part.h"

namespace tallystick::device {

core::Result<core::Bytes> bytes_from_hex(const char* what, const std::string& text);
// 64 digits.
core::Result<core::ByteArray<32>> digest_from_hex(const char* what, const std::string& text);

// Control characters must not reach a terminal.
std::string printable(std::string_view name);

// At most `most` bytes; kInvalidArgument when the file is longer, kStorage when it cannot be read.
core::Result<core::Bytes> read_input_file(const std::string& path, std::size_t most);

nlohmann::ordered_json as_json(const PartInfo& info);
void print(const PartInfo& info, std::ostream& out);

}  // namespace tallystick::device
