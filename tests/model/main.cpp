// Random calls on a PKCS#11 module beside a model of what it should answer: see docs/model.md.
#include <cstdio>
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tests/model/walk.h"

namespace {

using namespace tallystick::model;  // NOLINT(google-build-using-namespace): this is its main()

struct Options {
  std::string module = TALLYSTICK_MODULE;
  WalkOptions walk;
  std::string json;
  std::vector<std::string> without;
  bool each_rule = false;
  bool list_rules = false;
  unsigned shrink_seconds = 60;
};

void print(const Difference& found, std::uint64_t seed) {
  std::cout << "DIFFERENCE with --seed " << seed << ": " << found.what << "\nafter these calls:\n";
  for (const auto& call : found.calls) std::cout << "  " << to_text(call) << "\n";
}

void write_json(const Options& options, const Statistics& statistics,
                const std::optional<Difference>& found) {
  nlohmann::json out;
  out["seed"] = options.walk.seed;
  out["calls"] = statistics.calls;
  out["one_answer"] = statistics.exact;
  out["pairs"] = nlohmann::json::array();
  for (const auto& [pair, count] : statistics.pairs) {
    out["pairs"].push_back(
        {{"function", pair.first}, {"answer", rv_text(pair.second)}, {"calls", count}});
  }
  if (found) {
    out["difference"]["what"] = found->what;
    for (const auto& call : found->calls) out["difference"]["calls"].push_back(to_text(call));
  }
  std::FILE* const file = std::fopen(options.json.c_str(), "we");
  if (file == nullptr) throw std::runtime_error("cannot write " + options.json);
  const auto text = out.dump(2) + "\n";
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !written) throw std::runtime_error("cannot write " + options.json);
}

// Leaves out one rule after the other: each time a difference must be found.
int run_each_rule(TokenWorld& world, const Options& options) {
  std::vector<std::string> names = options.without;
  if (names.empty()) names.assign(kRuleNames.begin(), kRuleNames.end());
  int unnoticed = 0;
  for (const auto& name : names) {
    auto walk_options = options.walk;
    walk_options.rules.leave_out(rule_named(name).value());
    Statistics statistics;
    const auto found = walk(world, walk_options, statistics);
    // Where all rules together find it too, it is no proof that this one is missed.
    const bool noticed = found && !differs(world, Rules(), found->calls);
    std::cout << name << ": "
              << (noticed ? "noticed after " + std::to_string(statistics.calls) + " calls"
                          : std::string("NOT NOTICED"))
              << std::endl;
    unnoticed += noticed ? 0 : 1;
  }
  return unnoticed == 0 ? 0 : 1;
}

int run(const Options& options) {
  TokenWorld world(options.module);
  if (options.each_rule) return run_each_rule(world, options);
  auto walk_options = options.walk;
  for (const auto& name : options.without) {
    walk_options.rules.leave_out(rule_named(name).value());
  }
  Statistics statistics;
  auto found = walk(world, walk_options, statistics);
  if (found) {
    print(*found, options.walk.seed);
    if (options.shrink_seconds > 0) {
      found = shortened(world, walk_options.rules, *std::move(found),
                        std::chrono::seconds(options.shrink_seconds));
      std::cout << "shortened:\n";
      print(*found, options.walk.seed);
    }
  }
  if (!options.json.empty()) write_json(options, statistics, found);
  std::cout << "seed " << options.walk.seed << ": " << statistics.calls << " calls, for "
            << statistics.exact << " of them one answer is right, " << statistics.pairs.size()
            << " pairs of function and answer, " << (found ? "a difference" : "no difference")
            << "\n";
  return found ? 1 : 0;
}

std::string is_rule(const std::string& name) {
  return rule_named(name) ? "" : "no such rule: " + name;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Makes random calls on a PKCS#11 module and on a model, and compares the answers");
  app.add_option("--module", options.module, "the module")->capture_default_str();
  app.add_option("--seed", options.walk.seed, "where the dice begin")->capture_default_str();
  app.add_option("--calls", options.walk.calls, "how many")->capture_default_str();
  app.add_option("--list", options.walk.list, "calls from one fresh token")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--json", options.json, "write the figures to this file");
  app.add_option("--shrink", options.shrink_seconds, "seconds to shorten what was found")
      ->capture_default_str();
  app.add_option("--without", options.without, "leave a rule of the model out: must be noticed")
      ->check(CLI::Validator(is_rule, "RULE"));
  app.add_flag("--each-rule", options.each_rule,
               "leave out each rule in turn, or each of --without");
  app.add_flag("--list-rules", options.list_rules, "print the rules");
  CLI11_PARSE(app, argc, argv);
  if (options.list_rules) {
    for (const auto name : kRuleNames) std::cout << name << "\n";
    return 0;
  }
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::cerr << "model: " << error.what() << "\n";
    return 2;
  }
}
