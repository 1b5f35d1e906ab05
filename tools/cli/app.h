// The `tallystick` command: its sub-commands, and what becomes of their failures.
#pragma once

#include <iosfwd>
#include <memory>

#include "tools/cli/environment.h"

namespace CLI {
class App;
}

namespace tallystick::cli {

// The whole command line; the sub-command that is named leaves its work in env.action.
std::unique_ptr<CLI::App> make_app(Environment& env);

// Runs one command; the result is the program's exit status.
int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace tallystick::cli
