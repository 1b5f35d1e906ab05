// Walk: lists of random calls, each from the same beginning, until a difference is found; and the
// shortest list that still shows it.
#pragma once

#include <chrono>

#include "tests/model/dice.h"

namespace tallystick::model {

struct Difference {
  std::vector<Call> calls;  // the last of them differs
  std::string what;
};

struct WalkOptions {
  std::uint64_t seed = 1;
  unsigned long calls = 20000;
  unsigned list = 2000;  // calls in a list
  Rules rules;
};

// Nothing when the model and the module agreed in all calls.
std::optional<Difference> walk(TokenWorld& world, const WalkOptions& options,
                               Statistics& statistics);
// Whether these calls show a difference.
bool differs(TokenWorld& world, const Rules& rules, const std::vector<Call>& calls);
// Leaves calls out as long as a difference remains, until nothing more can go or time is up.
Difference shortened(TokenWorld& world, const Rules& rules, Difference found,
                     std::chrono::seconds limit);

}  // namespace tallystick::model
