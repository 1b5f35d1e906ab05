#pragma once

#include "tools/cli/commands/command.h"

namespace tallystick::cli {

// `station run`.
void add_station_run(Command group, Environment& env);

}  // namespace tallystick::cli
