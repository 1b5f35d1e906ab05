#pragma once

#include "tools/cli/commands/command.h"

namespace tallystick::cli {

void add_oem_software_command(CLI::App& group, Environment& env);
void add_oem_share_commands(CLI::App& group, Environment& env);
void add_oem_regenerate_commands(CLI::App& group, Environment& env);
void add_oem_grant_commands(CLI::App& group, Environment& env);
void add_oem_package_command(CLI::App& group, Environment& env);

}  // namespace tallystick::cli
