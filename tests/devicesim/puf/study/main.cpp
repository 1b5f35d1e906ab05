// puf_study: the figures of docs/puf.md as JSON. tools/puf-study runs it and draws them.
#include <algorithm>
#include <cmath>
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tests/devicesim/puf/study/simulation.h"
#include "tests/support/world.h"

namespace tallystick::puf_study {
namespace {

using device::puf::SramModel;
using Json = nlohmann::ordered_json;

struct Arguments {
  std::size_t parts = 10000;
  std::size_t trial_parts = 1000;
  std::size_t power_ons = 20;
  bool analysis_only = false;
};

// Per cent.
constexpr unsigned kAnalysed[] = {5, 8, 10, 12, 15, 18, 20, 22, 24, 26, 28, 30, 32, 34};
constexpr unsigned kSimulated[] = {22, 24, 26, 28, 30, 32, 34};
// How many pairs a code bit might be repeated over.
constexpr std::size_t kRepetitions[] = {4, 5, 6, 7, 8};
// Per mille of ones.
constexpr unsigned kBiases[] = {500, 510, 520, 530, 550, 580, 600};
constexpr unsigned kSamples = 1000;
constexpr std::size_t kNeighbours = 100;

SramModel model_with(unsigned percent) {
  SramModel model;
  model.error_rate = percent * 10'000;
  return model;
}

Json as_json(const Spread& spread) {
  return {{"mean", spread.mean},
          {"deviation", spread.deviation},
          {"least", spread.least},
          {"most", spread.most}};
}

Json histogram(std::span<const double> values, double from, double width, std::size_t bins) {
  std::vector<double> share(bins);
  for (const double one : values) {
    const auto bin = static_cast<long>(std::floor((one - from) / width));
    const auto last = static_cast<long>(bins) - 1;
    share[static_cast<std::size_t>(std::clamp(bin, 0L, last))] +=
        1 / static_cast<double>(values.size());
  }
  return {{"from", from}, {"width", width}, {"share", share}};
}

Json analysis() {
  Json rates = Json::array();
  for (const unsigned percent : kAnalysed) {
    Json row{{"error_percent", percent}};
    for (const std::size_t pairs : kRepetitions) {
      row["pairs_" + std::to_string(pairs)] = key_failure(model_with(percent), pairs);
    }
    rates.push_back(std::move(row));
  }
  Json leaks = Json::array();
  for (const unsigned mille : kBiases) {
    leaks.push_back({{"ones", mille / 1000.0},
                     {"code_offset_alone", entropy_left(mille / 1000.0, 16, kSamples, 1)},
                     {"unfair_pairs", entropy_left(mille / 1000.0, 8, kSamples, 1)}});
  }
  return {{"key_failure", std::move(rates)}, {"entropy_left", std::move(leaks)}};
}

Progress progress_of(const std::string& what, std::size_t all) {
  return [what, all](std::size_t done) {
    if (done % 500 == 0 || done == all) {
      std::cerr << "\r" << what << " " << done << "/" << all << (done == all ? "\n" : "");
    }
  };
}

Json population(const core::Crypto& crypto, const Arguments& arguments) {
  auto found = study_population(crypto, SramModel(), arguments.parts, kNeighbours,
                                progress_of("parts", arguments.parts));
  Json out{{"parts", arguments.parts},
           {"compared", found.inter.size()},
           {"uniformity", as_json(spread_of(found.uniformity))},
           {"intra", as_json(spread_of(found.intra))},
           {"inter", as_json(spread_of(found.inter))},
           {"pairs", as_json(spread_of(found.pairs))}};
  out["uniformity_histogram"] = histogram(found.uniformity, 0, 0.005, 200);
  out["intra_histogram"] = histogram(found.intra, 0, 0.005, 200);
  out["inter_histogram"] = histogram(found.inter, 0, 0.005, 200);
  auto& rates = found.key_failure;
  std::sort(rates.begin(), rates.end());
  const auto quantile = [&](double part) {
    return rates[std::min(rates.size() - 1,
                          static_cast<std::size_t>(part * static_cast<double>(rates.size())))];
  };
  out["key_failure"] = {{"mean", spread_of(rates).mean},
                        {"median", quantile(0.5)},
                        {"of_99_percent", quantile(0.99)},
                        {"of_999_per_mille", quantile(0.999)},
                        {"worst", rates.back()}};
  return out;
}

Json trials(const core::Crypto& crypto, const Arguments& arguments) {
  Json out = Json::array();
  const auto add = [&](unsigned percent) {
    const auto tried =
        try_keys(crypto, model_with(percent), arguments.trial_parts, arguments.power_ons,
                 progress_of(std::to_string(percent) + " %", arguments.trial_parts));
    out.push_back({{"error_percent", percent},
                   {"power_ons", tried.power_ons},
                   {"failures", tried.failures},
                   {"standard_error", tried.error},
                   {"expected_of_these_parts", tried.expected},
                   {"other_keys", tried.other_keys}});
  };
  add(15);
  for (const unsigned percent : kSimulated) add(percent);
  return out;
}

int run(const Arguments& arguments) {
  Json out{{"analysis", analysis()}};
  if (!arguments.analysis_only) {
    const auto& crypto = *test::shared_crypto();
    out["population"] = population(crypto, arguments);
    out["trials"] = trials(crypto, arguments);
  }
  std::cout << out.dump(1) << "\n";
  return std::cout ? 0 : 1;
}

}  // namespace
}  // namespace tallystick::puf_study

int main(int argc, char** argv) {
  tallystick::puf_study::Arguments arguments;
  CLI::App app("Uniqueness, reliability and key failures of simulated PUFs, as JSON", "puf_study");
  app.add_option("--parts", arguments.parts, "How many parts are compared")
      ->capture_default_str()
      ->check(CLI::Range(3, 1000000));
  app.add_option("--trial-parts", arguments.trial_parts, "How many parts are tried at each noise")
      ->capture_default_str()
      ->check(CLI::Range(2, 1000000));
  app.add_option("--power-ons", arguments.power_ons, "Power-ons of each of those")
      ->capture_default_str();
  app.add_flag("--analysis-only", arguments.analysis_only, "Sums alone, no simulated parts");
  CLI11_PARSE(app, argc, argv);
  try {
    return tallystick::puf_study::run(arguments);
  } catch (const std::exception& error) {
    std::cerr << "puf_study: " << error.what() << "\n";
    return 1;
  }
}
