// Names in fixed fields: UTF-8, zero padded.
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace tallystick::core {

constexpr std::size_t kNameSize = 32;

// Well-formed UTF-8 as RFC 3629 defines it: no overlong forms, surrogates or values past U+10FFFF.
bool valid_utf8(ByteView text);

// The name in a 32-byte field: valid UTF-8 up to the first zero, only zeros after it; may be empty.
// kInconsistent otherwise.
Result<std::string> name_from_field(ByteView field);
// The field of a name; kInvalidArgument when it has NUL, is longer than 32 bytes or not UTF-8.
Result<ByteArray<kNameSize>> field_from_name(std::string_view name);

}  // namespace tallystick::core
