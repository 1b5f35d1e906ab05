// Ctrl-C and SIGTERM as a question instead of an event: while one of these exists the signals are
// held back, and whoever works in a loop asks between two steps whether to stop.
#pragma once

#include <csignal>

namespace tallystick::cli {

class Interrupt {
 public:
  // Before any thread is started: threads inherit the mask.
  Interrupt();
  // Takes away a signal that was noticed, so that it does not end the program after all.
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] bool requested() const;

 private:
  sigset_t before_{};
};

}  // namespace tallystick::cli
