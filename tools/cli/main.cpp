#include <csignal>
#include <iostream>

#include "core/base/core_dumps.h"
#include "tools/cli/app.h"

int main(int argc, char** argv) {
  tallystick::core::forbid_core_dumps();
  // A file that may not grow further is an error like a full disk, not the end of the program.
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
  return tallystick::cli::run(argc, argv, std::cout, std::cerr);
}
