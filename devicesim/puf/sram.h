// The SRAM of a part's PUF: what its cells hold when the power comes.
//
// The model is that of Maes (An Accurate Probabilistic Reliability Model for Silicon PUFs, CHES
// 2013): a cell has a skew m, normally distributed over the cells and fixed at manufacture, and at
// each power-on it starts as one when m + n > 0, where n is fresh normal noise. So cells differ in
// how reliable they are: most always start the same, a few are coins. Here the skews have variance
// one about a mean μ that each part has for itself, the bias of the part; the noise has variance
// λ². Then
//
//   a cell starts as one with probability                      p = Φ(m / λ)
//   the part's fraction of ones is on average                  Φ(μ / √(1 + λ²))
//   two power-ons of an unbiased part differ in a fraction of  e = arccos(1 / (1 + λ²)) / π
//
// and a model is named by e, which is what one measures.
#pragma once

#include <functional>
#include <vector>

#include "core/crypto/crypto.h"

namespace tallystick::device::puf {

constexpr std::size_t kCells = 32768;  // 4 KiB
constexpr std::size_t kStartUpSize = kCells / 8;

// All in millionths.
struct SramModel {
  // e: 15 % is what key extractors for SRAM are made for, over the range of temperature (Guajardo
  // and others, CHES 2007; Bösch and others, CHES 2008).
  std::uint32_t error_rate = 150'000;
  // Mean and standard deviation of μ over the parts, in standard deviations of a cell's skew. The
  // default makes 41 % to 59 % of ones, three standard deviations each way.
  std::int32_t skew = 0;
  std::uint32_t skew_spread = 80'000;
  bool operator==(const SramModel&) const = default;
};
// kInvalidArgument: the error rate above 40 %, the skew beyond 2 or its spread beyond 1.
core::Status check_model(const SramModel& model);
// λ.
double noise_deviation(const SramModel& model);

// What the factory's process made of one part and nobody can make again. The simulator has to keep
// it somewhere; silicon keeps it in the dopant of its transistors.
struct Silicon {
  core::ByteArray<32> seed{};
  SramModel model;
};

// Fills with random bytes; what is not uniform and fresh is another noise.
using NoiseSource = std::function<core::Status(core::MutableByteView)>;

class Sram {
 public:
  static core::Result<Sram> create(const core::Crypto& crypto, const Silicon& silicon);

  // The start-up values of one power-on, kStartUpSize bytes: cell 0 is the highest bit of byte 0.
  [[nodiscard]] core::Result<core::Secret> power_on(const NoiseSource& noise) const;
  // How probably a cell starts as one.
  [[nodiscard]] double probability_of_one(std::size_t cell) const;

 private:
  using Thresholds = std::vector<std::uint32_t, core::WipingAllocator<std::uint32_t>>;
  explicit Sram(Thresholds thresholds) : thresholds_(std::move(thresholds)) {}

  // A cell starts as one when 32 random bits are below this.
  Thresholds thresholds_;
};

}  // namespace tallystick::device::puf
