#pragma once

#include "tools/cli/commands/command.h"

namespace tallystick::cli {

void add_software_commands(Command app, Environment& env);

}  // namespace tallystick::cli
