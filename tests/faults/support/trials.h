// The states that a trial of one of the token's operations may end in.
#pragma once

#include <gtest/gtest.h>

#include "tests/faults/support/points.h"
#include "tests/faults/support/state.h"

namespace tallystick::test {

// Where a trial was cut off.
enum class Reached : std::uint8_t { kNotYetCompared, kUnknown, kAcknowledged };

// An operation's states before and after, from a run that nothing disturbs.
class Expected {
 public:
  Expected(const Stage& stage, const Operation& operation);

  // The state is that before or that after, whole; after an acknowledgement that after. Tries stay
  // spent from the moment the PIN may have been compared (A40).
  void check(const State& state, Reached reached) const;
  // Objects and PINs alone.
  void check_objects(const State& state, Reached reached) const;
  [[nodiscard]] const State& before() const { return before_; }
  [[nodiscard]] const State& after() const { return after_; }

 private:
  const Operation* operation_;
  State before_;
  State after_;
};

// The one stage of a program.
const Stage& the_stage();

}  // namespace tallystick::test
