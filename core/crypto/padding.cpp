#include "core/crypto/padding.h"

namespace tallystick::core {
namespace {

// All ones when a < b, else zero; for values below 2^31.
std::uint32_t mask_below(std::uint32_t a, std::uint32_t b) { return 0U - ((a - b) >> 31U); }

}  // namespace

Unpadded data_before_padding(const ByteArray<16>& block) {
  constexpr std::uint32_t kSize = sizeof(ByteArray<16>);
  const std::uint32_t pad = block.back();
  auto wrong = mask_below(pad, 1) | mask_below(kSize, pad);
  for (std::uint32_t i = 0; i < kSize; ++i) {
    wrong |= mask_below(i, pad) & (block[kSize - 1 - i] ^ pad);
  }
  wrong &= 0xFFU;
  return {wrong == 0, (kSize - pad) & mask_below(wrong, 1)};
}

}  // namespace tallystick::core
