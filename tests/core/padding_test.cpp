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
        const auto data = data_before_padding(block);
        const bool right = pad >= 1 && pad <= 16 && (count >= pad || rest == pad);
        ASSERT_EQ(data.right, right) << pad << " " << count << " " << rest;
        ASSERT_EQ(data.size, right ? 16 - pad : 0) << pad << " " << count << " " << rest;
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
        const auto data = data_before_padding(block);
        if (at < 16U - pad) {
          ASSERT_TRUE(data.right);
          ASSERT_EQ(data.size, 16U - pad);
        } else if (at < 15) {
          ASSERT_FALSE(data.right);
        } else {
          // The length itself: right again only as the one byte that says one.
          ASSERT_EQ(data.right, block[15] == 1);
        }
      }
    }
  }
}

}  // namespace
}  // namespace tallystick::core
