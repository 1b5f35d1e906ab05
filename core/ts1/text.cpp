#include "core/ts1/text.h"

#include <algorithm>

namespace tallystick::core {
namespace {

struct Lead {
  std::size_t length;
  std::uint32_t bits;
  std::uint32_t least;  // the smallest value that needs this length
};

// What the first byte of a sequence announces; length 0 when it cannot be one.
Lead lead_of(std::uint8_t byte) {
  if (byte < 0x80) return {1, byte, 0};
  if (byte >= 0xC2 && byte < 0xE0) return {2, byte & 0x1FU, 0x80};
  if (byte >= 0xE0 && byte < 0xF0) return {3, byte & 0x0FU, 0x800};
  if (byte >= 0xF0 && byte < 0xF5) return {4, byte & 0x07U, 0x10000};
  return {0, 0, 0};
}

}  // namespace

bool valid_utf8(ByteView text) {
  while (!text.empty()) {
    const auto lead = lead_of(text[0]);
    if (lead.length == 0 || lead.length > text.size()) return false;
    auto value = lead.bits;
    for (std::size_t i = 1; i < lead.length; ++i) {
      if ((text[i] & 0xC0U) != 0x80U) return false;
      value = value << 6U | (text[i] & 0x3FU);
    }
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < lead.least || value > 0x10FFFF || surrogate) return false;
    text = text.subspan(lead.length);
  }
  return true;
}

Result<std::string> name_from_field(ByteView field) {
  const auto end = std::find(field.begin(), field.end(), 0);
  const auto length = static_cast<std::size_t>(end - field.begin());
  if (!all_zero(field.subspan(length)) || !valid_utf8(field.first(length))) {
    return Error{ErrorCode::kInconsistent, "a name is not zero-padded UTF-8", 0};
  }
  return std::string(text_of(field.first(length)));
}

Result<ByteArray<kNameSize>> field_from_name(std::string_view name) {
  const auto bytes = bytes_of(name);
  if (name.size() > kNameSize || name.find('\0') != std::string_view::npos || !valid_utf8(bytes)) {
    return Error{ErrorCode::kInvalidArgument, "a name is at most 32 bytes of UTF-8 without NUL", 0};
  }
  ByteArray<kNameSize> field{};
  std::copy(bytes.begin(), bytes.end(), field.begin());
  return field;
}

}  // namespace tallystick::core
