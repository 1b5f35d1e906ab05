// `tallystick oem ...`: the product owner's commands.
#include "tools/cli/commands/oem_commands.h"

#include "tools/cli/commands/commands.h"
#include "tools/cli/commands/signing_key_command.h"

namespace tallystick::cli {

void add_oem_commands(Command app, Environment& env) {
  Command group = app.add("oem", "The product owner: shares, consent, packages");
  add_signing_key_command(group, env, "Make the OEM's P-384 signing key in any module");
  add_oem_software_command(group, env);
  add_oem_share_commands(group, env);
  add_oem_regenerate_commands(group, env);
  add_oem_grant_commands(group, env);
  add_oem_derive_command(group, env);
  add_oem_package_command(group, env);
  add_oem_firmware_commands(group, env);
}

}  // namespace tallystick::cli
