// PKCS#7 padding of AES blocks.
#pragma once

#include <optional>

#include "core/base/bytes.h"

namespace tallystick::core {

// How many bytes of the last block of a padded message are data, 0 to 15; nothing when the padding
// is not right. Every byte is looked at whatever it holds, and the answer tells nothing but whether
// all were right (A30).
std::optional<std::size_t> data_before_padding(const ByteArray<16>& block);

}  // namespace tallystick::core
