// The modules that p11-kit has registered.
#pragma once

#include <string>
#include <vector>

namespace tallystick::client {

// The file of the module that is registered under a name; empty where there is none.
std::string registered_path(const std::string& name);
// The files of all of them, the one with the highest priority first.
std::vector<std::string> registered_paths();

}  // namespace tallystick::client
