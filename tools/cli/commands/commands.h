// The groups of sub-commands. Each function adds one group to the command line.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/cli/environment.h"

namespace tallystick::cli {

void add_token_commands(CLI::App& app, Environment& env);
void add_icm_commands(CLI::App& app, Environment& env);
void add_oem_commands(CLI::App& app, Environment& env);
void add_cm_commands(CLI::App& app, Environment& env);
void add_part_commands(CLI::App& app, Environment& env);
void add_proof_commands(CLI::App& app, Environment& env);
void add_inspect_command(CLI::App& app, Environment& env);
void add_completion_command(CLI::App& app, Environment& env);

}  // namespace tallystick::cli
