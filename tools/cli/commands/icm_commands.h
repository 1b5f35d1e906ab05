#pragma once

#include "tools/cli/commands/command.h"

namespace tallystick::cli {

void add_icm_key_commands(CLI::App& group, Environment& env);
void add_icm_family_commands(CLI::App& group, Environment& env);
void add_icm_software_command(CLI::App& group, Environment& env);
void add_icm_certify_command(CLI::App& group, Environment& env);
void add_icm_manufacture_commands(CLI::App& group, Environment& env);

}  // namespace tallystick::cli
