// The command `tallystick-devicesim`: makes, shows, boots, asks and serves simulated parts.
#pragma once

#include <iosfwd>

#include <CLI/CLI.hpp>

#include "devicesim/command/subcommand.h"

namespace tallystick::device {

// Exit status of the command.
constexpr int kExitDone = 0;
constexpr int kExitRefused = 1;  // the part, or a check, said no
constexpr int kExitUsage = 2;    // wrong arguments
constexpr int kExitStorage = 3;  // a file could not be read or written

// The whole command line; what parse() finds chosen is put into `chosen`.
void describe_command_line(CLI::App& app, Chosen& chosen);

int run_command(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace tallystick::device
