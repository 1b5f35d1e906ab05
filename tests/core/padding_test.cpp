#include "core/crypto/padding.h"

#include <gtest/gtest.h>

namespace tallystick::core {
namespace {

ByteArray<16> block_with(std::uint8_t last, std::size_t count, std::uint8_t rest) {
  ByteArray<16> block{};
  block.fill(rest);
  for (std::size_t i = 0; i < count; ++i) block[15 - i] = last;
  return block;
}

TEST(Padding, A30_IsRightWhenAsManyBytesAsItSaysSayIt) {
  for (unsigned rest : {0U, 1U, 16U, 255U}) {
    for (unsigned pad = 0; pad < 256; ++pad) {
      for (std::size_t count = 1; count <= 16; ++count) {
        const auto block =
            block_with(static_cast<std::uint8_t>(pad), count, static_cast<std::uint8_t>(rest));
        const auto size = data_before_padding(block);
        const bool right = pad >= 1 && pad <= 16 && (count >= pad || rest == pad);
        ASSERT_EQ(size.has_value(), right) << pad << " " << count << " " << rest;
        if (right) {
          ASSERT_EQ(*size, 16 - pad);
        }
      }
    }
  }
}

TEST(Padding, A30_OneWrongBitAnywhereInItIsWrong) {
  for (std::uint8_t pad = 1; pad <= 16; ++pad) {
    for (std::size_t at = 0; at < 16; ++at) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        auto block = block_with(pad, pad, 0x80);
        block[at] = static_cast<std::uint8_t>(block[at] ^ 1U << bit);
        const auto size = data_before_padding(block);
        if (at < 16U - pad) {
          ASSERT_EQ(size, 16U - pad);
        } else if (at < 15) {
          ASSERT_FALSE(size.has_value());
        } else {
          // The length itself: right again only as the one byte that says one.
          ASSERT_EQ(size.has_value(), block[15] == 1);
        }
      }
    }
  }
}

}  // namespace
}  // namespace tallystick::core
