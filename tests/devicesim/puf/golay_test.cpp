// The code under the fuzzy extractor, tried over everything that it can meet.
#include "devicesim/puf/golay.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <map>
#include <random>

namespace tallystick::test {
namespace {

using device::puf::golay_decode;
using device::puf::golay_encode;

constexpr std::uint32_t kMessages = 4096;
using Dice = std::independent_bits_engine<std::mt19937, 32, std::uint32_t>;

// Calls with each word of 24 bits that has `weight` ones.
template <typename Visit>
void each_word_of_weight(unsigned weight, const Visit& visit) {
  if (weight == 0) return visit(0U);
  std::uint32_t word = (1U << weight) - 1;
  while (word < 1U << 24U) {
    visit(word);
    // The next larger number with as many ones.
    const std::uint32_t lowest = word & (~word + 1);
    const std::uint32_t ripple = word + lowest;
    word = ripple | ((word ^ ripple) >> (2 + std::countr_zero(lowest)));
  }
}

// By division, as a shift register does it: another way than the product's table of rows.
std::uint32_t encoded_by_division(std::uint32_t message) {
  std::uint32_t dividend = message << 11U;
  while (std::bit_width(dividend) > 11) dividend ^= 0xC75U << (std::bit_width(dividend) - 12);
  const std::uint32_t word = message << 11U | dividend;
  return word << 1U | (static_cast<std::uint32_t>(std::popcount(word)) & 1U);
}

TEST(Golay, EncodesAsDivisionByThePolynomialDoes) {
  for (std::uint32_t message = 0; message < kMessages; ++message) {
    ASSERT_EQ(golay_encode(message), encoded_by_division(message)) << message;
  }
  // Worked by hand: the generator itself is the codeword of 1, with a one for its parity.
  EXPECT_EQ(golay_encode(1), 0x18EBU);
  EXPECT_EQ(golay_encode(0), 0U);
  EXPECT_EQ(golay_encode(0xFFF), 0xFFFFFFU);
}

// There is only one code with these weights (Pless 1968), so this is the Golay code.
TEST(Golay, HasTheWeightsOfTheGolayCode) {
  std::map<int, int> words_of_weight;
  for (std::uint32_t message = 0; message < kMessages; ++message) {
    ++words_of_weight[std::popcount(golay_encode(message))];
  }
  const std::map<int, int> expected{{0, 1}, {8, 759}, {12, 2576}, {16, 759}, {24, 1}};
  EXPECT_EQ(words_of_weight, expected);
}

TEST(Golay, IsLinear) {
  for (std::uint32_t a = 0; a < kMessages; a += 7) {
    for (std::uint32_t b = 0; b < kMessages; b += 11) {
      ASSERT_EQ(golay_encode(a) ^ golay_encode(b), golay_encode(a ^ b));
    }
  }
}

TEST(Golay, CorrectsEveryPatternOfUpToThreeErrorsInEveryCodeword) {
  std::array<std::uint32_t, 2325> patterns{};
  std::size_t count = 0;
  for (unsigned weight = 0; weight <= 3; ++weight) {
    each_word_of_weight(weight, [&](std::uint32_t pattern) { patterns.at(count++) = pattern; });
  }
  ASSERT_EQ(count, patterns.size());
  for (std::uint32_t message = 0; message < kMessages; ++message) {
    const auto codeword = golay_encode(message);
    for (const auto pattern : patterns) {
      ASSERT_EQ(golay_decode(codeword ^ pattern), message) << std::hex << pattern;
    }
  }
}

TEST(Golay, NoticesEveryPatternOfFourErrors) {
  unsigned tried = 0;
  each_word_of_weight(4, [&](std::uint32_t pattern) {
    ++tried;
    for (const std::uint32_t message : {0U, 1U, 0x5A3U, 0xFFFU}) {
      ASSERT_EQ(golay_decode(golay_encode(message) ^ pattern), std::nullopt) << std::hex << pattern;
    }
  });
  EXPECT_EQ(tried, 10626U);
}

TEST(Golay, NeverGivesTheSentMessageForMoreThanThreeErrors) {
  for (unsigned weight = 5; weight <= 8; ++weight) {
    each_word_of_weight(weight, [&](std::uint32_t pattern) {
      ASSERT_NE(golay_decode(golay_encode(0x123) ^ pattern), 0x123U) << std::hex << pattern;
    });
  }
}

// All places of errors and erasures together are too many; for each of the places erased, every
// content of the erased bits, and errors drawn anew.
TEST(Golay, CorrectsErrorsBesideErasuresWhileTwiceTheErrorsAndTheErasuresAreBelowEight) {
  Dice dice(1);
  for (unsigned erasures = 0; erasures <= 7; ++erasures) {
    const unsigned errors = (7 - erasures) / 2;
    std::uint64_t tried = 0;
    each_word_of_weight(erasures, [&](std::uint32_t erased) {
      if (erasures > 3 && dice() % 16 != 0) return;
      const std::uint32_t message = dice() % kMessages;
      std::uint32_t wrong = 0;
      while (std::popcount(wrong) < static_cast<int>(errors)) {
        const std::uint32_t bit = 1U << (dice() % 24);
        if ((erased & bit) == 0) wrong |= bit;
      }
      // Every subset of the erased bits.
      for (std::uint32_t content = erased;; content = (content - 1) & erased) {
        ASSERT_EQ(golay_decode(golay_encode(message) ^ wrong ^ content, erased), message)
            << std::hex << erased << " " << wrong;
        ++tried;
        if (content == 0) break;
      }
    });
    EXPECT_GT(tried, 0U);
  }
}

TEST(Golay, GivesNothingBeyondErrorsAndErasuresThatItCanTellApart) {
  Dice dice(2);
  for (int round = 0; round < 200000; ++round) {
    const std::uint32_t message = dice() % kMessages;
    const unsigned erasures = dice() % 8;
    const unsigned errors = (8 - erasures + 1) / 2;  // 2e + f is 8 or 9
    std::uint32_t erased = 0;
    std::uint32_t wrong = 0;
    while (std::popcount(erased) < static_cast<int>(erasures)) erased |= 1U << (dice() % 24);
    while (std::popcount(wrong) < static_cast<int>(errors)) {
      const std::uint32_t bit = 1U << (dice() % 24);
      if ((erased & bit) == 0) wrong |= bit;
    }
    const auto word = golay_encode(message) ^ wrong ^ (dice() & erased);
    ASSERT_NE(golay_decode(word, erased), message);
  }
}

TEST(Golay, GivesNothingForEightErasures) {
  EXPECT_EQ(golay_decode(golay_encode(0x777), 0xFF), std::nullopt);
  EXPECT_EQ(golay_decode(golay_encode(0x777), 0xFFFFFF), std::nullopt);
}

}  // namespace
}  // namespace tallystick::test
