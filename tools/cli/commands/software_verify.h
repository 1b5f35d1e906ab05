#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/ts1/software.h"
#include "tools/cli/commands/command.h"

namespace tallystick::cli {

// What an image is and permits, for people and scripts.
nlohmann::ordered_json software_document(const core::Software& software);
void add_software_commands(Command app, Environment& env);

}  // namespace tallystick::cli
