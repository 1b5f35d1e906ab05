// What docs/puf.md says of parts in great number, on fewer of them and with fixed seeds.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/devicesim/puf/study/simulation.h"
#include "tests/support/world.h"

namespace tallystick::test {
namespace {

using device::puf::SramModel;
using puf_study::BitRates;
using puf_study::spread_of;

SramModel with_error_rate(std::uint32_t millionths) {
  SramModel model;
  model.error_rate = millionths;
  return model;
}

const puf_study::Progress kQuiet = [](std::size_t) {};

class PufStatistics : public ::testing::Test {
 protected:
  static const puf_study::Population& population() {
    static const auto kFound =
        puf_study::study_population(*shared_crypto(), SramModel(), 400, 50, kQuiet);
    return kFound;
  }
};

TEST_F(PufStatistics, TwoPartsDifferInHalfOfTheirCells) {
  const auto inter = spread_of(population().inter);
  EXPECT_NEAR(inter.mean, 0.5, 0.002);
  EXPECT_GT(inter.least, 0.47);
  EXPECT_LT(inter.most, 0.53);
}

TEST_F(PufStatistics, APartDiffersFromItselfAsOftenAsTheModelSays) {
  const auto intra = spread_of(population().intra);
  EXPECT_NEAR(intra.mean, 0.15, 0.002);
  EXPECT_LT(intra.most, 0.17);
}

TEST_F(PufStatistics, PartsAreBiasedAndOnTheWholeEven) {
  const auto ones = spread_of(population().uniformity);
  EXPECT_NEAR(ones.mean, 0.5, 0.01);
  EXPECT_NEAR(ones.deviation, 0.03, 0.005);
  const auto pairs = spread_of(population().pairs);
  EXPECT_GT(pairs.least * 16384, 1.5 * device::puf::kPairs);
}

TEST_F(PufStatistics, NoPartOfThemFailsOnceInAMillionPowerOns) {
  EXPECT_LT(spread_of(population().key_failure).most, 1e-6);
}

TEST(PufFailureRate, IsBelowOneInAMillionAtTheDefaultNoise) {
  const double rate = puf_study::key_failure(SramModel());
  EXPECT_LT(rate, 1e-6);
  EXPECT_GT(rate, 1e-12) << "a sum that lost its small terms";
}

TEST(PufFailureRate, RisesWithTheNoiseAndFallsWithTheRepetition) {
  double last = 0;
  for (const std::uint32_t rate : {100'000U, 150'000U, 200'000U, 250'000U, 300'000U}) {
    const double failure = puf_study::key_failure(with_error_rate(rate));
    EXPECT_GT(failure, last);
    EXPECT_LT(failure, puf_study::key_failure(with_error_rate(rate), 6));
    last = failure;
  }
}

// Rates that can be computed on paper.
TEST(PufFailureRate, IsWhatPaperGives) {
  // Two votes, wrong with a half each: both 1/4, a tie 1/2.
  const auto coin = puf_study::bit_rates(0.5, 0.5, 1);
  EXPECT_DOUBLE_EQ(coin.wrong, 0.25);
  EXPECT_DOUBLE_EQ(coin.erased, 0.5);
  // Without erasures a codeword fails from four errors on.
  double all_but = 0;
  for (int errors = 0; errors <= 3; ++errors) {
    all_but += std::tgamma(25) / std::tgamma(errors + 1) / std::tgamma(25 - errors) *
               std::pow(0.1, errors) * std::pow(0.9, 24 - errors);
  }
  EXPECT_NEAR(puf_study::codeword_failure(BitRates{0.1, 0}), 1 - all_but, 1e-12);
  // With erasures alone from eight on.
  all_but = 0;
  for (int erasures = 0; erasures <= 7; ++erasures) {
    all_but += std::tgamma(25) / std::tgamma(erasures + 1) / std::tgamma(25 - erasures) *
               std::pow(0.3, erasures) * std::pow(0.7, 24 - erasures);
  }
  EXPECT_NEAR(puf_study::codeword_failure(BitRates{0, 0.3}), 1 - all_but, 1e-12);
  EXPECT_EQ(puf_study::codeword_failure(BitRates{0, 0}), 0);
  EXPECT_NEAR(puf_study::codeword_failure(BitRates{1, 0}), 1, 1e-12);
}

// At noise where keys fail often enough to be counted.
TEST(PufFailureRate, OfTheAnalysisIsThatOfSimulatedParts) {
  for (const std::uint32_t rate : {280'000U, 300'000U, 320'000U}) {
    const auto model = with_error_rate(rate);
    const auto tried = puf_study::try_keys(*shared_crypto(), model, 400, 10, kQuiet);
    const double expected = puf_study::key_failure(model) * static_cast<double>(tried.power_ons);
    EXPECT_EQ(tried.other_keys, 0U);
    EXPECT_NEAR(static_cast<double>(tried.failures), expected, 5 * tried.error) << rate;
    // The parts' own cells say it more closely.
    EXPECT_NEAR(static_cast<double>(tried.failures), tried.expected, 5 * std::sqrt(tried.expected))
        << rate;
  }
}

TEST(PufEntropy, IsWholeForFairCellsAndGoneForBiasedOnes) {
  EXPECT_NEAR(puf_study::entropy_left(0.5, 16, 100, 1), 264, 1e-6);
  EXPECT_LT(puf_study::entropy_left(0.58, 16, 500, 1), 128);
}

}  // namespace
}  // namespace tallystick::test
