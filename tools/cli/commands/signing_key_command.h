// A P-384 signing key pair in any PKCS#11 module; the chip maker and the OEM make theirs alike.
#pragma once

#include "tools/cli/commands/command.h"

namespace tallystick::cli {

void add_signing_key_command(Command group, Environment& env, const std::string& description);

}  // namespace tallystick::cli
