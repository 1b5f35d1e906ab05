// The terminal as a place to ask for secrets.
#pragma once

#include "core/base/secret.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

// Shows "<prompt>: " on the terminal `fd` and reads one line with echo off, at most `most` bytes of
// it. However it ends, by a signal too, the terminal is left as it was.
Outcome<core::Secret> ask_unseen(int fd, const std::string& prompt, std::size_t most);

}  // namespace tallystick::cli
