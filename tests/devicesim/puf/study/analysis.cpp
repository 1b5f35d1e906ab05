#include "tests/devicesim/puf/study/analysis.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "devicesim/puf/golay.h"

namespace tallystick::puf_study {
namespace {

using device::puf::kCodewords;
using device::puf::kGolayLength;
using device::puf::kPairsPerBit;

constexpr unsigned kDistance = 8;

double normal_density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }
double normal_below(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

// ∫ f(x) φ(x) dx; the density is gone at 8.5.
template <typename Function>
double mean_over_normal(const Function& f, int steps) {
  constexpr double kEdge = 8.5;
  const double width = 2 * kEdge / steps;
  double sum = 0;
  for (int i = 0; i < steps; ++i) {
    const double x = -kEdge + (i + 0.5) * width;
    sum += f(x) * normal_density(x);
  }
  return sum * width;
}

// The distribution of a count, after one more event of that probability may happen.
void add_event(std::vector<double>& count, double probability) {
  count.push_back(0);
  for (std::size_t i = count.size() - 1; i > 0; --i) {
    count[i] = count[i] * (1 - probability) + count[i - 1] * probability;
  }
  count[0] *= 1 - probability;
}

BitRates majority(const std::vector<double>& wrong_votes) {
  const std::size_t half = (wrong_votes.size() - 1) / 2;
  BitRates rates;
  rates.erased = wrong_votes[half];
  for (std::size_t i = half + 1; i < wrong_votes.size(); ++i) rates.wrong += wrong_votes[i];
  return rates;
}

// 1 − Π (1 − p), without losing small ones.
double any_of(std::span<const double> failures) {
  double log_none = 0;
  for (const double failure : failures) log_none += std::log1p(-failure);
  return -std::expm1(log_none);
}

bool bit_of(core::ByteView bytes, std::size_t index) {
  return (unsigned{bytes[index / 8]} >> (7 - index % 8) & 1U) != 0;
}

}  // namespace

CellRates cell_rates(const device::puf::SramModel& model, double mean) {
  const double noise = std::max(noise_deviation(model), 1e-12);
  constexpr int kSteps = 20000;
  CellRates rates;
  rates.ones = normal_below(mean / std::sqrt(1 + noise * noise));
  const double differs = mean_over_normal(
      [&](double skew) {
        const double one = normal_below((skew + mean) / noise);
        return one * (1 - one);
      },
      kSteps);
  rates.error = 2 * differs;
  rates.after_one = differs / rates.ones;
  rates.after_zero = differs / (1 - rates.ones);
  return rates;
}

BitRates bit_rates(double after_one, double after_zero, std::size_t pairs) {
  std::vector<double> wrong_votes{1};
  for (std::size_t i = 0; i < pairs; ++i) {
    add_event(wrong_votes, after_one);
    add_event(wrong_votes, after_zero);
  }
  return majority(wrong_votes);
}

double codeword_failure(std::span<const BitRates> rates) {
  // state[e][f]: the probability of e wrong and f erased bits so far.
  std::array<std::array<double, kGolayLength + 1>, kGolayLength + 1> state{};
  state[0][0] = 1;
  std::size_t done = 0;
  for (const auto& rate : rates) {
    ++done;
    for (std::size_t e = done + 1; e-- > 0;) {
      for (std::size_t f = done - e + 1; f-- > 0;) {
        double sum = state[e][f] * (1 - rate.wrong - rate.erased);
        if (e > 0) sum += state[e - 1][f] * rate.wrong;
        if (f > 0) sum += state[e][f - 1] * rate.erased;
        state[e][f] = sum;
      }
    }
  }
  double failure = 0;
  for (std::size_t e = 0; e <= kGolayLength; ++e) {
    for (std::size_t f = 0; e + f <= kGolayLength; ++f) {
      if (2 * e + f >= kDistance) failure += state[e][f];
    }
  }
  return failure;
}

double codeword_failure(const BitRates& rates) {
  return codeword_failure(std::vector<BitRates>(kGolayLength, rates));
}

double key_failure_at(const device::puf::SramModel& model, double mean, std::size_t pairs) {
  const auto cells = cell_rates(model, mean);
  const double word = codeword_failure(bit_rates(cells.after_one, cells.after_zero, pairs));
  return any_of(std::vector<double>(kCodewords, word));
}

double key_failure(const device::puf::SramModel& model, std::size_t pairs) {
  constexpr double kMillion = 1e6;
  constexpr int kParts = 60;
  return mean_over_normal(
      [&](double part) {
        return key_failure_at(model, (model.skew + model.skew_spread * part) / kMillion, pairs);
      },
      kParts);
}

double key_failure_of(const device::puf::Sram& sram, core::ByteView helper,
                      core::ByteView start_up_at_enrolment) {
  const auto choice = helper.subspan(40, device::puf::kCells / 16);
  std::vector<double> words;
  std::vector<BitRates> bits;
  std::vector<double> wrong_votes{1};
  for (std::size_t pair = 0; pair < device::puf::kCells / 2; ++pair) {
    if (!bit_of(choice, pair)) continue;
    for (const std::size_t cell : {2 * pair, 2 * pair + 1}) {
      const double one = sram.probability_of_one(cell);
      add_event(wrong_votes, bit_of(start_up_at_enrolment, cell) ? 1 - one : one);
    }
    if (wrong_votes.size() <= 2 * kPairsPerBit) continue;
    bits.push_back(majority(wrong_votes));
    wrong_votes = {1};
    if (bits.size() < kGolayLength) continue;
    words.push_back(codeword_failure(bits));
    bits.clear();
  }
  return any_of(words);
}

double entropy_left(double ones, unsigned repetition, unsigned samples, std::uint64_t seed) {
  const double step = std::log(ones / (1 - ones));
  std::mt19937_64 random(seed);
  double guessed = 0;
  for (unsigned sample = 0; sample < samples; ++sample) {
    // The codeword of zero was sent, without loss: the code is linear. Each code bit that is one in
    // another word turns its votes around.
    std::array<double, kGolayLength> turned{};
    for (double& log_ratio : turned) {
      unsigned weight = 0;
      for (unsigned i = 0; i < repetition; ++i) {
        if (std::generate_canonical<double, 53>(random) < ones) ++weight;
      }
      log_ratio = (static_cast<double>(repetition) - 2.0 * weight) * step;
    }
    double best = 0;
    double sum = 0;
    for (std::uint32_t message = 0; message < 4096; ++message) {
      double score = 0;
      for (std::uint32_t word = device::puf::golay_encode(message); word != 0; word &= word - 1) {
        score += turned[static_cast<std::size_t>(std::countr_zero(word))];
      }
      const double likelihood = std::exp(score);
      best = std::max(best, likelihood);
      sum += likelihood;
    }
    guessed += best / sum;
  }
  return -std::log2(guessed / samples) * kCodewords;
}

}  // namespace tallystick::puf_study
