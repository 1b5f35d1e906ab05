// PINs: from a file, from the environment or from a terminal without echo; never only from the
// command line.
#pragma once

#include <string>

#include "core/base/secret.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

constexpr std::size_t kMostPinBytes = 256;

// "file:PATH" or a plain path, "env:NAME". One line end at the end of a file is not part of the
// PIN.
Outcome<core::Secret> pin_from_source(const std::string& source);

// What $NAME holds; nothing when it is not set.
Outcome<core::Secret> pin_from_environment(const std::string& name);

// Asks on the terminal, echo off. kToken when there is none.
Outcome<core::Secret> ask_for_pin(const std::string& prompt);

// In order: the source that is given, else $TALLYSTICK_PIN (or the variable named), else the
// terminal.
Outcome<core::Secret> find_pin(const std::string& source, const std::string& variable,
                               const std::string& prompt);

}  // namespace tallystick::cli
