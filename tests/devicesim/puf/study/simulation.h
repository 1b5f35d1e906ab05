// Parts in great number, and what becomes of their cells and keys. Everything comes from numbered
// seeds, so that a run can be done again.
#pragma once

#include <functional>
#include <vector>

#include "tests/devicesim/puf/study/analysis.h"

namespace tallystick::puf_study {

using Progress = std::function<void(std::size_t done)>;

// A sample of fractions.
struct Spread {
  double mean = 0;
  double deviation = 0;
  double least = 0;
  double most = 0;
};
Spread spread_of(std::span<const double> values);

struct Population {
  std::vector<double> uniformity;   // fraction of ones, a part
  std::vector<double> intra;        // distance of a second power-on from the first, a part
  std::vector<double> inter;        // distance of two parts' first power-ons
  std::vector<double> pairs;        // fraction of the pairs whose cells differ, a part
  std::vector<double> key_failure;  // each part's own, computed from its cells
};
// `neighbours`: with how many parts each is compared.
Population study_population(const core::Crypto& crypto, const device::puf::SramModel& model,
                            std::size_t parts, std::size_t neighbours, const Progress& progress);

struct KeyTrials {
  std::uint64_t power_ons = 0;
  std::uint64_t failures = 0;    // regenerate() gave no key
  std::uint64_t other_keys = 0;  // it gave another: must never be
  double expected = 0;           // failures, by the analysis of these very parts
  double error = 0;              // standard error of `failures`, parts being alike in themselves
};
KeyTrials try_keys(const core::Crypto& crypto, const device::puf::SramModel& model,
                   std::size_t parts, std::size_t power_ons_each, const Progress& progress);

}  // namespace tallystick::puf_study
