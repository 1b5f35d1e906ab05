// `tallystick icm ...`: the chip maker's commands; the larger ones have files of their own.
#include "tools/cli/commands/icm_commands.h"

#include "tools/cli/commands/commands.h"

namespace tallystick::cli {

void add_icm_commands(Command app, Environment& env) {
  Command group = app.add("icm", "The chip maker: families, software, devices");
  add_icm_key_commands(group, env);
  add_icm_family_commands(group, env);
  add_icm_software_command(group, env);
  add_icm_certify_command(group, env);
  add_icm_manufacture_commands(group, env);
}

}  // namespace tallystick::cli
