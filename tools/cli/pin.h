// PINs: from a file, from the environment or from a terminal without echo; never only from the
// command line.
#pragma once

#include <string>

#include "core/base/secret.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

constexpr std::size_t kMostPinBytes = 256;

// Whose PIN it is: the option and the variable that say where it comes from.
struct PinKind {
  const char* option;
  const char* variable;
};
constexpr PinKind kUserPin{"--pin-source", "TALLYSTICK_PIN"};
constexpr PinKind kSoPin{"--so-pin-source", "TALLYSTICK_SO_PIN"};
// The one that takes the place of another.
constexpr PinKind kNewPin{"--new-pin-source", "TALLYSTICK_NEW_PIN"};

// "file:PATH" or a plain path, "env:NAME". One line end at the end of a file is not part of the
// PIN.
Outcome<core::Secret> pin_from_source(const std::string& source, const PinKind& kind = kUserPin);

// In order: the source that is given, else the kind's variable, else the terminal, with echo off.
// kToken when there is none of them.
Outcome<core::Secret> find_pin(const std::string& source, const PinKind& kind,
                               const std::string& prompt);
// The same for a PIN that is about to be set: on a terminal it is asked for twice.
Outcome<core::Secret> find_new_pin(const std::string& source, const PinKind& kind,
                                   const std::string& prompt);

}  // namespace tallystick::cli
