// The commands of `tallystick token` that set PINs.
#pragma once

#include "tools/cli/commands/command.h"
#include "tools/cli/pkcs11/module.h"

namespace tallystick::cli {

void add_token_init_command(Command group, Environment& env);
void add_token_pin_command(Command group, Environment& env);

// Whether the token says that it takes a PIN of this length; `what` names the PIN.
Done check_pin_length(const Slot& slot, const std::string& what, core::ByteView pin);

}  // namespace tallystick::cli
