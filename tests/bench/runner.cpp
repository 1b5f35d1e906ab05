#include "tests/bench/runner.h"

#include <algorithm>

namespace tallystick::bench {
namespace {

struct Runner {
  const Sample* sample;
  Timings* timings;
  std::size_t count;
};

std::size_t count_for(const Sample& sample, double wanted_seconds) {
  constexpr std::size_t kMost = 1'000'000;
  // The first call warms up what is made at first use.
  (void)sample(1);
  for (std::size_t count = 1; count < kMost; count *= 4) {
    const double took = sample(count).wall;
    // A sixth of the batch tells well enough how many make a whole one.
    if (took * 6 >= wanted_seconds) {
      const double fitting = static_cast<double>(count) * wanted_seconds / took;
      return std::clamp(static_cast<std::size_t>(fitting), std::size_t{1}, kMost);
    }
  }
  return kMost;
}

}  // namespace

Lane missing(std::string reason) {
  Lane lane;
  lane.missing = std::move(reason);
  return lane;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::optional<double> speed(const Timings& one, const Timings& another) {
  if (!one.measured() || !another.measured()) return std::nullopt;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < one.rounds.size(); ++i) {
    ratios.push_back(another.rounds[i] / one.rounds[i]);
  }
  return median(std::move(ratios));
}

std::vector<Result> run_in_turns(const std::vector<Case>& cases, const Pace& pace) {
  std::vector<Result> results(cases.size());
  std::vector<Runner> runners;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& one = cases[i];
    auto& result = results[i];
    result.name = one.name;
    result.target = one.target;
    for (const auto& [lane, timings] : {std::pair{&one.raw, &result.raw},
                                        {&one.ours, &result.ours},
                                        {&one.other, &result.other}}) {
      timings->missing = lane->missing;
      if (!lane->sample) continue;
      const auto count = one.count != 0 ? one.count : count_for(lane->sample, pace.batch_seconds);
      runners.push_back({&lane->sample, timings, count});
    }
  }
  for (std::size_t round = 0; round < pace.rounds; ++round) {
    for (const auto& runner : runners) {
      const auto took = (*runner.sample)(runner.count);
      const bool processor = pace.processor_time && took.processor > 0;
      runner.timings->rounds.push_back((processor ? took.processor : took.wall) * 1e9 /
                                       static_cast<double>(runner.count));
    }
    // Nobody always runs after the same one.
    if (!runners.empty()) std::rotate(runners.begin(), runners.begin() + 1, runners.end());
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (cases[i].note) results[i].note = cases[i].note();
  }
  return results;
}

}  // namespace tallystick::bench
