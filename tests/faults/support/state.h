// What a token shows of itself, for comparing before with after.
#pragma once

#include <optional>
#include <string>

#include "tests/faults/support/stage.h"

namespace tallystick::test {

struct State {
  // Every object with all that can be read of it, labels, which PINs are right.
  std::string exact;
  // The same without what is random: two runs of an operation agree in it.
  std::string shape;
  // Tries spent when the token was opened, of the SO and the user; -1: no such PIN. Of the first
  // token.
  int so_tries = -1;
  int user_tries = -1;
};

// Of all tokens in $TALLYSTICK_HOME, by a module that is not initialised before or afterwards. An
// exception where something does not work that always has to: a key that does not sign, a PIN that
// is lost.
State state_of(const Stage& stage);
// Of one session's objects alone, in the middle of a run.
State objects_of(const Session& session);

}  // namespace tallystick::test
