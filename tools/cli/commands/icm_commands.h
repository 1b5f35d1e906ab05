#pragma once

#include "tools/cli/commands/command.h"

namespace tallystick::cli {

void add_icm_key_commands(Command group, Environment& env);
void add_icm_family_commands(Command group, Environment& env);
void add_icm_software_command(Command group, Environment& env);
void add_icm_certify_command(Command group, Environment& env);
void add_icm_manufacture_commands(Command group, Environment& env);

}  // namespace tallystick::cli
