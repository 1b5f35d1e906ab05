// An input as a file, for what takes a path.
#pragma once

#include "tests/fuzz/support/home.h"

namespace tallystick::fuzz {

inline std::string as_file(core::ByteView bytes) { return home().put("input", bytes); }

}  // namespace tallystick::fuzz
