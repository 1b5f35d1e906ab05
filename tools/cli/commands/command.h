// How a sub-command is made: a name, a struct of options, a function that does the work.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/cli/environment.h"

namespace tallystick::cli {

// Adds a command whose work is `work(env, options)`. `declare(command, options)` says what options
// it has.
template <typename Options, typename Declare>
CLI::App* add_command(CLI::App& group, Environment& env, const std::string& name,
                      const std::string& description, Done (*work)(Environment&, const Options&),
                      const Declare& declare) {
  auto options = std::make_shared<Options>();
  CLI::App* command = group.add_subcommand(name, description);
  declare(*command, *options);
  command->footer(kExitCodeHelp);
  command->callback([&env, options, work] {
    env.action = [options, work](Environment& e) { return work(e, *options); };
  });
  return command;
}

}  // namespace tallystick::cli
