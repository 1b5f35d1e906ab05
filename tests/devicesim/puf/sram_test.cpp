// The cells of the PUF against the model that they follow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "tests/devicesim/puf/study/analysis.h"
#include "tests/devicesim/puf/support/noise.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using device::puf::kCells;
using device::puf::Sram;
using device::puf::SramModel;

double ones(core::ByteView values) {
  int count = 0;
  for (const auto byte : values) count += std::popcount(byte);
  return static_cast<double>(count) / kCells;
}

double distance(core::ByteView a, core::ByteView b) {
  int count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    count += std::popcount(static_cast<std::uint8_t>(a[i] ^ b[i]));
  }
  return static_cast<double>(count) / kCells;
}

SramModel without_bias(std::uint32_t error_rate) { return {error_rate, 0, 0}; }

TEST(PufCells, AreThoseOfTheSeedAndOfNothingElse) {
  const auto one = sram_of(1);
  const auto same = sram_of(1);
  const auto other = sram_of(2);
  std::size_t equal = 0;
  for (std::size_t cell = 0; cell < kCells; ++cell) {
    ASSERT_EQ(one.probability_of_one(cell), same.probability_of_one(cell)) << cell;
    if (one.probability_of_one(cell) == other.probability_of_one(cell)) ++equal;
  }
  // Only cells that are certain to 32 bits can agree.
  EXPECT_LT(equal, kCells / 2);
}

// The same seed and noise give the same bytes on every machine and in every release: parts that
// exist depend on it.
TEST(PufCells, OfAKnownSeedStartAsTheyAlwaysDid) {
  const auto values = start_up(sram_of(1), 7);
  EXPECT_EQ(core::to_hex(values.view().first(16)), "1591eccedd9f805c30743ff0af5356e3");
}

TEST(PufCells, StartAnewAtEachPowerOn) {
  const auto sram = sram_of(3);
  const auto noise = noise_from(3);
  const auto first = value(sram.power_on(noise));
  const auto second = value(sram.power_on(noise));
  EXPECT_GT(distance(first.view(), second.view()), 0.1);
  EXPECT_LT(distance(first.view(), second.view()), 0.2);
}

TEST(PufCells, DifferFromPowerOnToPowerOnAsOftenAsTheModelIsNamedFor) {
  for (const std::uint32_t rate : {0U, 10'000U, 60'000U, 150'000U, 300'000U, 400'000U}) {
    const auto sram = sram_of(4, without_bias(rate));
    double sum = 0;
    for (std::uint32_t power_on = 0; power_on < 10; ++power_on) {
      const auto a = start_up(sram, 2 * power_on);
      const auto b = start_up(sram, 2 * power_on + 1);
      sum += distance(a.view(), b.view());
    }
    // 327,680 cells, of which a part has its own share of bad ones: six deviations.
    EXPECT_NEAR(sum / 10, rate / 1e6, 0.012) << rate;
    EXPECT_NEAR(puf_study::cell_rates(without_bias(rate), 0).error, rate / 1e6, 1e-4) << rate;
  }
}

TEST(PufCells, StartAsOneAsOftenAsTheSkewSays) {
  for (const std::int32_t skew : {-500'000, 0, 80'000, 500'000}) {
    const SramModel model{150'000, skew, 0};
    const double expected = puf_study::cell_rates(model, skew / 1e6).ones;
    EXPECT_NEAR(ones(start_up(sram_of(5, model), 5).view()), expected, 0.014) << skew;
  }
}

TEST(PufCells, AreNotEquallyReliable) {
  const auto sram = sram_of(6);
  std::size_t sure = 0;
  std::size_t coins = 0;
  for (std::size_t cell = 0; cell < kCells; ++cell) {
    const double one = sram.probability_of_one(cell);
    if (one < 0.01 || one > 0.99) ++sure;
    if (one > 0.4 && one < 0.6) ++coins;
  }
  EXPECT_GT(sure, kCells * 35 / 100);
  EXPECT_GT(coins, kCells * 4 / 100);
  EXPECT_LT(coins, kCells * 12 / 100);
}

TEST(PufCells, HaveNoModelOutOfRange) {
  for (const SramModel& model : {SramModel{400'001, 0, 0}, SramModel{0, 2'000'001, 0},
                                 SramModel{0, -2'000'001, 0}, SramModel{0, 0, 1'000'001}}) {
    EXPECT_THAT(Sram::create(*shared_crypto(), {seed_of(1), model}),
                FailsWith(core::ErrorCode::kInvalidArgument));
  }
}

TEST(PufCells, GiveNothingWhenTheNoiseFails) {
  const auto broken = [](core::MutableByteView) -> core::Status {
    return core::Error{core::ErrorCode::kCrypto, "no noise"};
  };
  EXPECT_THAT(sram_of(1).power_on(broken), FailsWith(core::ErrorCode::kCrypto));
}

}  // namespace
}  // namespace tallystick::test
