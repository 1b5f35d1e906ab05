// The groups of sub-commands. Each function adds one group to the command line.
#pragma once

#include "tools/cli/commands/command_line.h"
#include "tools/cli/environment.h"

namespace tallystick::cli {

void add_token_commands(Command app, Environment& env);
void add_icm_commands(Command app, Environment& env);
void add_oem_commands(Command app, Environment& env);
void add_cm_commands(Command app, Environment& env);
void add_station_commands(Command app, Environment& env);
void add_part_commands(Command app, Environment& env);
void add_proof_commands(Command app, Environment& env);
void add_inspect_command(Command app, Environment& env);
void add_completion_command(Command app, Environment& env);

}  // namespace tallystick::cli
