// PKCS#7 padding of AES blocks.
#pragma once

#include <cstddef>

#include "core/base/bytes.h"

namespace tallystick::core {

// How many bytes of the last block of a padded message are data: 0 to 15, or 0 where the padding is
// not right.
struct Unpadded {
  bool right = false;
  std::size_t size = 0;
};

// Every byte is looked at whatever it holds and nothing branches on one, so that the time tells
// nothing either (A30).
Unpadded data_before_padding(const ByteArray<16>& block);

}  // namespace tallystick::core
