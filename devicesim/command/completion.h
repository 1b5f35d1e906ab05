// Completion for bash, made from a command line itself, so that it is never behind.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace tallystick {

// The script for the program of that name; it is made to be sourced.
std::string bash_completion(const CLI::App& app, const std::string& program);

}  // namespace tallystick
