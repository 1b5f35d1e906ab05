#include <exception>
#include <iostream>

#include "core/base/core_dumps.h"
#include "devicesim/command.h"

int main(int argc, char** argv) {
  tallystick::core::forbid_core_dumps();
  // Only the argument parser, JSON and the standard library's lack of memory throw.
  try {
    return tallystick::device::run_command(argc, argv, std::cout, std::cerr);
  } catch (const std::exception& error) {
    std::cerr << "tallystick-devicesim: " << error.what() << "\n";
    return tallystick::device::kExitRefused;
  }
}
