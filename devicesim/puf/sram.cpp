#include "devicesim/puf/sram.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "devicesim/puf/stream.h"

namespace tallystick::device::puf {
namespace {

using core::Error;
using core::ErrorCode;

constexpr double kMillion = 1e6;
constexpr double kTwoTo32 = 4294967296.0;
constexpr std::uint32_t kMostErrorRate = 400'000;
constexpr std::int32_t kMostSkew = 2'000'000;
constexpr std::uint32_t kMostSpread = 1'000'000;

std::uint32_t word_at(core::ByteView bytes, std::size_t index) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) word = word << 8U | bytes[4 * index + i];
  return word;
}

// Two independent normal values from two uniform words (Box and Muller 1958).
std::pair<double, double> normal_pair(std::uint32_t first, std::uint32_t second) {
  const double radius = std::sqrt(-2 * std::log((first + 0.5) / kTwoTo32));
  const double angle = 2 * std::numbers::pi * (second + 0.5) / kTwoTo32;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

// Φ(x) × 2^32, as far as 32 bits go.
std::uint32_t threshold(double x) {
  const double probability = std::erfc(-x / std::numbers::sqrt2) / 2;
  return static_cast<std::uint32_t>(std::min(probability * kTwoTo32, kTwoTo32 - 1));
}

}  // namespace

core::Status check_model(const SramModel& model) {
  if (model.error_rate > kMostErrorRate) {
    return Error{ErrorCode::kInvalidArgument, "a PUF's error rate is at most 40 %"};
  }
  if (model.skew < -kMostSkew || model.skew > kMostSkew || model.skew_spread > kMostSpread) {
    return Error{ErrorCode::kInvalidArgument, "the skew of a PUF's cells is out of range"};
  }
  return {};
}

double noise_deviation(const SramModel& model) {
  return std::sqrt(1 / std::cos(std::numbers::pi * model.error_rate / kMillion) - 1);
}

core::Result<Sram> Sram::create(const core::Crypto& crypto, const Silicon& silicon) {
  if (auto checked = check_model(silicon.model); !checked) return checked.error();
  auto stream = Stream::create(crypto, silicon.seed);
  if (!stream) return std::move(stream).error();
  // One pair of words for the part, then one for each two cells.
  core::WipedBytes random(4 * (2 + kCells));
  if (auto filled = stream->fill(random); !filled) return filled.error();

  // Without noise a cell is certain; a tiny deviation does for that.
  const double noise = std::max(noise_deviation(silicon.model), 1e-12);
  const double part = normal_pair(word_at(random, 0), word_at(random, 1)).first;
  const double mean = (silicon.model.skew + silicon.model.skew_spread * part) / kMillion;
  Thresholds thresholds(kCells);
  for (std::size_t cell = 0; cell < kCells; cell += 2) {
    const auto [first, second] = normal_pair(word_at(random, 2 + cell), word_at(random, 3 + cell));
    thresholds[cell] = threshold((mean + first) / noise);
    thresholds[cell + 1] = threshold((mean + second) / noise);
  }
  return Sram(std::move(thresholds));
}

core::Result<core::Secret> Sram::power_on(const NoiseSource& noise) const {
  core::WipedBytes random(4 * kCells);
  if (auto filled = noise(random); !filled) return filled.error();
  core::Secret values(kStartUpSize);
  for (std::size_t cell = 0; cell < kCells; ++cell) {
    const unsigned one = word_at(random, cell) < thresholds_[cell] ? 1 : 0;
    values.span()[cell / 8] |= static_cast<std::uint8_t>(one << (7 - cell % 8));
  }
  return values;
}

double Sram::probability_of_one(std::size_t cell) const { return thresholds_[cell] / kTwoTo32; }

}  // namespace tallystick::device::puf
