#pragma once

#include "tools/cli/commands/command.h"

namespace tallystick::cli {

void add_oem_software_command(Command group, Environment& env);
void add_oem_share_commands(Command group, Environment& env);
void add_oem_regenerate_commands(Command group, Environment& env);
void add_oem_grant_commands(Command group, Environment& env);
void add_oem_derive_command(Command group, Environment& env);
void add_oem_package_command(Command group, Environment& env);
void add_oem_firmware_commands(Command group, Environment& env);

}  // namespace tallystick::cli
