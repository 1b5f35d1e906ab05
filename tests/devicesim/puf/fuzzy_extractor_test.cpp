// The key of a PUF: the same from noisy values, and none from changed helper data or other cells.
#include "devicesim/puf/fuzzy_extractor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <set>

#include "devicesim/puf/identity.h"
#include "tests/devicesim/puf/support/noise.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using device::puf::decode_offset;
using device::puf::kCells;
using device::puf::kHelperSize;
using device::puf::kPairs;
using device::puf::kPairsPerBit;
using device::puf::kStartUpSize;
using device::puf::Pair;
using device::puf::SramModel;

// Where the fields of helper data begin.
constexpr std::size_t kChoiceAt = 40;
constexpr std::size_t kOffsetAt = kChoiceAt + kCells / 16;
constexpr std::size_t kTagAt = kHelperSize - 32;

class PufKey : public ::testing::Test {
 protected:
  [[nodiscard]] const core::Crypto& crypto() const { return *shared_crypto(); }
  [[nodiscard]] auto regenerated(core::ByteView helper, core::ByteView values) const {
    return device::puf::regenerate(crypto(), helper, values);
  }

  device::puf::Sram sram_ = sram_of(1);
  core::Secret first_ = start_up(sram_, 100);
  device::puf::Enrolment enrolled_ = value(device::puf::enrol(crypto(), first_.view()));
};

TEST_F(PufKey, IsTheSameAtEveryPowerOn) {
  const auto noise = noise_from(101);
  for (int power_on = 0; power_on < 500; ++power_on) {
    const auto values = value(sram_.power_on(noise));
    const auto key = value(regenerated(enrolled_.helper, values.view()));
    ASSERT_TRUE(core::equal_in_constant_time(key.view(), enrolled_.key.view())) << power_on;
  }
}

TEST_F(PufKey, IsTheSameAtEveryPowerOnOfManyParts) {
  for (std::uint32_t part = 1000; part < 1200; ++part) {
    const auto sram = sram_of(part);
    const auto noise = noise_from(part);
    const auto enrolled = value(device::puf::enrol(crypto(), value(sram.power_on(noise)).view()));
    for (int power_on = 0; power_on < 5; ++power_on) {
      const auto values = value(sram.power_on(noise));
      const auto key = value(regenerated(enrolled.helper, values.view()));
      ASSERT_TRUE(core::equal_in_constant_time(key.view(), enrolled.key.view())) << part;
    }
  }
}

TEST_F(PufKey, OfBiasedPartsIsTheSameToo) {
  for (const std::int32_t skew : {-600'000, 600'000}) {  // 28 % or 72 % of ones
    const auto sram = sram_of(2, {150'000, skew, 0});
    const auto noise = noise_from(102);
    const auto enrolled = value(device::puf::enrol(crypto(), value(sram.power_on(noise)).view()));
    for (int power_on = 0; power_on < 50; ++power_on) {
      const auto values = value(sram.power_on(noise));
      ASSERT_THAT(regenerated(enrolled.helper, values.view()), Succeeds()) << skew;
    }
  }
}

TEST_F(PufKey, IsNotMadeFromCellsThatAreTooAlike) {
  const core::Bytes zeros(kStartUpSize, 0);
  const core::Bytes ones(kStartUpSize, 0xFF);
  EXPECT_THAT(device::puf::enrol(crypto(), zeros), FailsWith(ErrorCode::kOpenFailed));
  EXPECT_THAT(device::puf::enrol(crypto(), ones), FailsWith(ErrorCode::kOpenFailed));
  // One pair fewer than is needed, and exactly as many.
  core::Bytes just(kStartUpSize, 0);
  const auto part_ways = [&](std::size_t pair) {
    just[pair / 4] |= static_cast<std::uint8_t>(2U << (6 - 2 * (pair % 4)));
  };
  for (std::size_t pair = 1; pair < kPairs; ++pair) part_ways(pair);
  EXPECT_THAT(device::puf::enrol(crypto(), just), FailsWith(ErrorCode::kOpenFailed));
  part_ways(kCells / 2 - 1);
  EXPECT_THAT(device::puf::enrol(crypto(), just), Succeeds());
}

TEST_F(PufKey, IsAnotherAtEachEnrolment) {
  std::set<std::string> keys;
  for (int i = 0; i < 20; ++i) {
    keys.insert(core::to_hex(value(device::puf::enrol(crypto(), first_.view())).key.view()));
  }
  EXPECT_EQ(keys.size(), 20U);
}

TEST_F(PufKey, FailsWithOneErrorWhateverIsWrong) {
  // Half of the cells, all cells, and another form.
  auto noisy = core::Secret::copy_of(first_.view());
  for (auto& byte : noisy.span()) byte ^= 0x5A;
  auto inverted = core::Secret::copy_of(first_.view());
  for (auto& byte : inverted.span()) byte ^= 0xFF;
  auto tagged = enrolled_.helper;
  tagged[kTagAt] ^= 1;
  const auto by_noise = regenerated(enrolled_.helper, noisy.view());
  const auto by_code = regenerated(enrolled_.helper, inverted.view());
  const auto by_tag = regenerated(tagged, first_.view());
  const auto by_form = regenerated(core::ByteView(tagged).first(100), first_.view());
  for (const auto* failed : {&by_noise, &by_code, &by_tag, &by_form}) {
    ASSERT_THAT(*failed, FailsWith(ErrorCode::kOpenFailed));
    EXPECT_EQ(failed->error().message, by_noise.error().message);
    EXPECT_EQ(failed->error().check, by_noise.error().check);
  }
}

// Even with the very values of the enrolment.
TEST_F(PufKey, D05_ComesFromNoHelperDataWithAnyByteChanged) {
  for (std::size_t at = 0; at < kHelperSize; ++at) {
    auto changed = enrolled_.helper;
    changed[at] ^= static_cast<std::uint8_t>(1U << (at % 8));
    ASSERT_THAT(regenerated(changed, first_.view()), FailsWith(ErrorCode::kOpenFailed)) << at;
  }
}

TEST_F(PufKey, D05_ComesFromNoHelperDataWithPairsExchanged) {
  std::mt19937 dice(1);
  for (int round = 0; round < 200; ++round) {
    auto changed = enrolled_.helper;
    // A chosen pair for one that was not: the count stays right.
    const auto flip_one = [&](bool chosen) {
      while (true) {
        const auto pair = dice() % (kCells / 2);
        const auto bit = static_cast<std::uint8_t>(0x80U >> (pair % 8));
        if (((changed[kChoiceAt + pair / 8] & bit) != 0) != chosen) continue;
        changed[kChoiceAt + pair / 8] ^= bit;
        return;
      }
    };
    flip_one(true);
    flip_one(false);
    ASSERT_THAT(regenerated(changed, first_.view()), FailsWith(ErrorCode::kOpenFailed));
  }
}

// To exchange the offset for that of another codeword makes another secret, which the attacker
// knows as little as the first.
TEST_F(PufKey, D05_ComesFromNoHelperDataMovedToAnotherCodeword) {
  auto changed = enrolled_.helper;
  for (std::size_t at = kOffsetAt; at < kTagAt; ++at) changed[at] ^= 0xFF;
  EXPECT_THAT(regenerated(changed, first_.view()), FailsWith(ErrorCode::kOpenFailed));
}

TEST_F(PufKey, D05_ComesFromNoHelperDataOfAnotherPart) {
  for (std::uint32_t other = 2; other < 52; ++other) {
    const auto values = start_up(sram_of(other), other);
    ASSERT_THAT(regenerated(enrolled_.helper, values.view()), FailsWith(ErrorCode::kOpenFailed));
  }
}

TEST_F(PufKey, D05_ComesFromNoHelperDataOfOtherLength) {
  auto longer = enrolled_.helper;
  longer.push_back(0);
  EXPECT_THAT(regenerated(longer, first_.view()), FailsWith(ErrorCode::kOpenFailed));
  EXPECT_THAT(regenerated(core::ByteView(longer).first(kHelperSize - 1), first_.view()),
              FailsWith(ErrorCode::kOpenFailed));
  EXPECT_THAT(regenerated({}, first_.view()), FailsWith(ErrorCode::kOpenFailed));
}

TEST_F(PufKey, WantsAllCells) {
  EXPECT_THAT(regenerated(enrolled_.helper, first_.view().first(100)),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(device::puf::enrol(crypto(), first_.view().first(100)),
              FailsWith(ErrorCode::kInvalidArgument));
}

// Whatever the bias, half of the pairs' first cells and half of the offset are ones: the helper
// data look the same for every secret.
TEST_F(PufKey, LeavesNothingOfTheBiasInTheHelperData) {
  const SramModel biased{150'000, 600'000, 0};
  std::size_t ones = 0;
  std::size_t bits = 0;
  std::size_t cell_ones = 0;
  for (std::uint32_t part = 0; part < 100; ++part) {
    const auto values = start_up(sram_of(part, biased), part);
    const auto helper = value(device::puf::enrol(crypto(), values.view())).helper;
    for (std::size_t at = kOffsetAt; at < kTagAt; ++at) {
      ones += static_cast<std::size_t>(std::popcount(helper[at]));
      bits += 8;
    }
    // The first cells of the pairs that serve.
    for (std::size_t pair = 0; pair < kCells / 2; ++pair) {
      if ((unsigned{helper[kChoiceAt + pair / 8]} >> (7 - pair % 8) & 1U) == 0) continue;
      cell_ones += unsigned{values.view()[pair / 4]} >> (7 - 2 * (pair % 4)) & 1U;
    }
  }
  // 422,400 bits: four deviations are 0.31 %.
  EXPECT_NEAR(static_cast<double>(ones) / static_cast<double>(bits), 0.5, 0.0031);
  EXPECT_NEAR(static_cast<double>(cell_ones) / static_cast<double>(bits), 0.5, 0.0031);
}

// The votes of a code bit: one decides, the other way one less is a tie, and the code takes it.
TEST(PufCodeOffset, CorrectsSevenWrongCellsInEveryCodeBit) {
  const auto secret = value(shared_crypto()->random_secret(device::puf::kCodeSecretSize));
  std::mt19937 dice(3);
  std::vector<Pair> pairs(kPairs);
  for (auto& pair : pairs) pair = dice() % 2 == 0 ? 1 : 2;
  const auto offset = device::puf::code_offset(pairs, secret.view());
  // Of each run of 8 pairs three read the other way round, and one cell of a fourth.
  for (std::size_t at = 0; at < kPairs; ++at) {
    if (at % kPairsPerBit < 3) pairs[at] ^= 3;
    if (at % kPairsPerBit == 3) pairs[at] ^= 1;
  }
  const auto decoded = decode_offset(pairs, offset);
  EXPECT_TRUE(decoded.complete);
  EXPECT_TRUE(core::equal_in_constant_time(decoded.secret.view(), secret.view()));
}

TEST(PufCodeOffset, TakesSevenErasedCodeBitsInACodewordAndNoEighth) {
  const auto secret = value(shared_crypto()->random_secret(device::puf::kCodeSecretSize));
  const std::vector<Pair> pairs(kPairs, 1);
  const auto offset = device::puf::code_offset(pairs, secret.view());
  auto read = pairs;
  for (std::size_t bit = 0; bit < 7; ++bit) {
    for (std::size_t i = 0; i < 4; ++i) read[bit * kPairsPerBit + i] ^= 3;
  }
  auto decoded = decode_offset(read, offset);
  EXPECT_TRUE(decoded.complete);
  EXPECT_TRUE(core::equal_in_constant_time(decoded.secret.view(), secret.view()));
  for (std::size_t i = 0; i < 4; ++i) read[7 * kPairsPerBit + i] ^= 3;
  EXPECT_FALSE(decode_offset(read, offset).complete);
}

TEST(PufIdentity, IsOneDeviceKeyForLife) {
  const auto sram = sram_of(9);
  const auto noise = noise_from(9);
  const auto made =
      value(device::puf::new_identity(*shared_crypto(), value(sram.power_on(noise)).view()));
  for (int power_on = 0; power_on < 20; ++power_on) {
    const auto same = value(device::puf::same_identity(*shared_crypto(), made.helper,
                                                       value(sram.power_on(noise)).view()));
    EXPECT_TRUE(
        core::equal_in_constant_time(same.device_key->public_xy(), made.device_key->public_xy()));
    EXPECT_TRUE(core::equal_in_constant_time(same.storage_key.view(), made.storage_key.view()));
  }
}

TEST(PufIdentity, IsAnotherForEveryPart) {
  std::set<std::string> keys;
  for (std::uint32_t part = 0; part < 50; ++part) {
    const auto values = start_up(sram_of(part), part);
    const auto made = value(device::puf::new_identity(*shared_crypto(), values.view()));
    keys.insert(core::to_hex(made.device_key->public_xy()));
    keys.insert(core::to_hex(made.storage_key.view()));
  }
  EXPECT_EQ(keys.size(), 100U);
}

}  // namespace
}  // namespace tallystick::test
