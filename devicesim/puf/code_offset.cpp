#include "devicesim/puf/code_offset.h"

#include "devicesim/puf/golay.h"

namespace tallystick::device::puf {
namespace {

static_assert(kCodeBits == kCodewords * kGolayLength && kSecretBits == kCodewords * kGolayMessage);

std::uint32_t bit_at(core::ByteView bytes, std::size_t index) {
  return unsigned{bytes[index / 8]} >> (7 - index % 8) & 1U;
}

void put_bit(core::MutableByteView bytes, std::size_t index, std::uint32_t bit) {
  bytes[index / 8] |= static_cast<std::uint8_t>((bit & 1U) << (7 - index % 8));
}

std::uint32_t message_at(core::ByteView secret, std::size_t word) {
  std::uint32_t message = 0;
  for (std::size_t i = 0; i < kGolayMessage; ++i) {
    message = message << 1U | bit_at(secret, word * kGolayMessage + i);
  }
  return message;
}

}  // namespace

core::Bytes code_offset(std::span<const Pair> pairs, core::ByteView secret) {
  core::Bytes offset(kOffsetSize);
  for (std::size_t word = 0; word < kCodewords; ++word) {
    const auto codeword = golay_encode(message_at(secret, word));
    for (std::size_t bit = 0; bit < kGolayLength; ++bit) {
      const auto code_bit = codeword >> (kGolayLength - 1 - bit);
      const auto first = (word * kGolayLength + bit) * kPairsPerBit;
      for (std::size_t at = first; at < first + kPairsPerBit; ++at) {
        put_bit(offset, at, (pairs[at] >> 1U) ^ code_bit);
      }
    }
  }
  return offset;
}

Decoded decode_offset(std::span<const Pair> pairs, core::ByteView offset) {
  Decoded out{core::Secret(kCodeSecretSize)};
  for (std::size_t word = 0; word < kCodewords; ++word) {
    std::uint32_t received = 0;
    std::uint32_t erased = 0;
    for (std::size_t bit = 0; bit < kGolayLength; ++bit) {
      const auto first = (word * kGolayLength + bit) * kPairsPerBit;
      std::uint32_t ones = 0;
      for (std::size_t at = first; at < first + kPairsPerBit; ++at) {
        const auto flip = bit_at(offset, at);
        // The second cell started as the opposite of the first.
        ones += (pairs[at] >> 1U & 1U) ^ flip;
        ones += (~pairs[at] & 1U) ^ flip;
      }
      received = received << 1U | (ones > kPairsPerBit ? 1U : 0U);
      erased = erased << 1U | (ones == kPairsPerBit ? 1U : 0U);
    }
    const auto message = golay_decode(received, erased);
    if (!message) out.complete = false;
    for (std::size_t i = 0; i < kGolayMessage; ++i) {
      put_bit(out.secret.span(), word * kGolayMessage + i,
              message.value_or(0) >> (kGolayMessage - 1 - i));
    }
  }
  return out;
}

}  // namespace tallystick::device::puf
