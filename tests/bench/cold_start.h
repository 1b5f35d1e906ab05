// Cold start: a new process that loads the module, logs in, finds a key among all others and signs.
#pragma once

#include "tests/bench/cases.h"

namespace tallystick::bench {

// The first argument of the program when it is that process.
inline constexpr std::string_view kColdStartWord = "--cold-start-child";

Case cold_start_case(World& world);
// Prints what each step took. An empty `module` stands for libcrypto with a key in a file.
int cold_start_child(const std::string& module, const std::string& key);

}  // namespace tallystick::bench
