#include "devicesim/puf/golay.h"

#include <array>
#include <bit>

namespace tallystick::device::puf {
namespace {

constexpr unsigned kDistance = 8;
constexpr unsigned kMostErrors = 3;
constexpr std::uint32_t kMessageMask = 0xFFF;
constexpr std::uint32_t kGenerator = 0xC75;  // x^11 + x^10 + x^6 + x^5 + x^4 + x^2 + 1
constexpr unsigned kGeneratorDegree = 11;

constexpr std::uint32_t check_bits_of(std::uint32_t message) {
  std::uint32_t remainder = message << kGeneratorDegree;
  for (unsigned bit = kGolayMessage + kGeneratorDegree; bit-- > kGeneratorDegree;) {
    if ((remainder >> bit & 1U) != 0) remainder ^= kGenerator << (bit - kGeneratorDegree);
  }
  const auto parity = static_cast<std::uint32_t>(std::popcount(message) + std::popcount(remainder));
  return remainder << 1U | (parity & 1U);
}

// The check bits of each bit of a message; those of a message are their sum.
constexpr auto kRows = [] {
  std::array<std::uint32_t, kGolayMessage> rows{};
  for (unsigned i = 0; i < kGolayMessage; ++i) rows[i] = check_bits_of(1U << i);
  return rows;
}();

constexpr std::uint32_t check_bits(std::uint32_t message) {
  std::uint32_t sum = 0;
  for (unsigned i = 0; i < kGolayMessage; ++i) sum ^= kRows[i] & (0U - (message >> i & 1U));
  return sum;
}

constexpr std::uint32_t syndrome_of(std::uint32_t word) {
  return check_bits(word >> kGolayMessage) ^ (word & kMessageMask);
}

constexpr std::uint32_t kNoPattern = ~0U;

// For each syndrome the one pattern of up to three errors that has it. 2,325 of the 4,096 have one;
// the others are those of four errors.
constexpr auto kPatterns = [] {
  std::array<std::uint32_t, 1U << kGolayMessage> patterns{};
  patterns.fill(kNoPattern);
  std::array<std::uint32_t, kGolayLength> syndromes{};
  for (unsigned i = 0; i < kGolayLength; ++i) syndromes[i] = syndrome_of(1U << i);
  patterns[0] = 0;
  for (unsigned i = 0; i < kGolayLength; ++i) {
    patterns[syndromes[i]] = 1U << i;
    for (unsigned j = 0; j < i; ++j) {
      patterns[syndromes[i] ^ syndromes[j]] = 1U << i | 1U << j;
      for (unsigned k = 0; k < j; ++k) {
        patterns[syndromes[i] ^ syndromes[j] ^ syndromes[k]] = 1U << i | 1U << j | 1U << k;
      }
    }
  }
  return patterns;
}();

}  // namespace

std::uint32_t golay_encode(std::uint32_t message) {
  message &= kMessageMask;
  return message << kGolayMessage | check_bits(message);
}

std::optional<std::uint32_t> golay_decode(std::uint32_t word, std::uint32_t erased) {
  const auto erasures = static_cast<unsigned>(std::popcount(erased));
  if (erasures >= kDistance) return std::nullopt;
  // Filled with zeros or with ones, at most half of the erased bits are wrong: one of the two words
  // is then within three errors of the codeword, if 2e + f < 8. No other codeword satisfies that.
  for (const std::uint32_t fill : {0U, erased}) {
    const std::uint32_t filled = (word & ~erased) | fill;
    const std::uint32_t pattern = kPatterns[syndrome_of(filled)];
    if (pattern == kNoPattern) continue;
    static_assert(2 * kMostErrors < kDistance);
    const auto errors = static_cast<unsigned>(std::popcount(pattern & ~erased));
    if (2 * errors + erasures < kDistance) return (filled ^ pattern) >> kGolayMessage;
  }
  return std::nullopt;
}

}  // namespace tallystick::device::puf
