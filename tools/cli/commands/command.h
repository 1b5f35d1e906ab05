// How a sub-command is made: a name, a struct of options, a function that does the work.
#pragma once

#include <memory>
#include <string>

#include "tools/cli/commands/command_line.h"
#include "tools/cli/environment.h"

namespace tallystick::cli {

// Adds a command whose work is `work(env, options)`. `declare(command, options)` says what options
// it has.
template <typename Options, typename Declare>
void add_command(Command group, Environment& env, const std::string& name,
                 const std::string& description, Done (*work)(Environment&, const Options&),
                 const Declare& declare) {
  auto options = std::make_shared<Options>();
  Command command = group.add(name, description);
  declare(command, *options);
  command.set_footer(kExitCodeHelp);
  command.on_call([&env, options, work] {
    env.action = [options, work](Environment& e) { return work(e, *options); };
  });
}

}  // namespace tallystick::cli
