#include "tests/model/walk.h"

#include <algorithm>

namespace tallystick::model {
namespace {

constexpr unsigned kFirstId = 10000;  // behind what the world made

std::optional<Difference> replay(TokenWorld& world, const Rules& rules,
                                 const std::vector<Call>& calls) {
  Statistics none;
  Runner runner(world.module(), none);
  world.begin(runner, rules);
  Difference out;
  for (const auto& call : calls) {
    out.calls.push_back(call);
    out.what = runner.run(call);
    if (!out.what.empty()) return out;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Difference> walk(TokenWorld& world, const WalkOptions& options,
                               Statistics& statistics) {
  const auto end = statistics.calls + options.calls;
  for (std::uint64_t list = 0; statistics.calls < end; ++list) {
    Runner runner(world.module(), statistics);
    world.begin(runner, options.rules);
    // Each list has a seed of its own, whatever those before it did.
    Dice dice(options.seed * 1000003 + list, world.given(), kFirstId);
    Difference difference;
    for (unsigned i = 0; i < options.list && statistics.calls < end; ++i) {
      difference.calls.push_back(dice.next(runner.model));
      difference.what = runner.run(difference.calls.back());
      if (!difference.what.empty()) return difference;
    }
  }
  return std::nullopt;
}

bool differs(TokenWorld& world, const Rules& rules, const std::vector<Call>& calls) {
  return replay(world, rules, calls).has_value();
}

Difference shortened(TokenWorld& world, const Rules& rules, Difference found,
                     std::chrono::seconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (std::size_t piece = found.calls.size() / 2; piece > 0; piece /= 2) {
    bool shorter = true;
    while (shorter) {
      shorter = false;
      for (std::size_t at = 0; at + 1 < found.calls.size();) {
        if (std::chrono::steady_clock::now() > until) return found;
        const auto last = std::min(at + piece, found.calls.size() - 1);
        auto fewer = found.calls;
        fewer.erase(fewer.begin() + static_cast<long>(at), fewer.begin() + static_cast<long>(last));
        if (auto still = replay(world, rules, fewer)) {
          found = *std::move(still);
          shorter = piece == 1;
        } else {
          at = last;
        }
      }
    }
  }
  return found;
}

}  // namespace tallystick::model
