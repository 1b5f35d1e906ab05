// `tallystick completion bash`: made from the command line itself, so that it is never behind.
#include "devicesim/command/completion.h"
#include "tools/cli/commands/command.h"
#include "tools/cli/commands/commands.h"

namespace tallystick::cli {
namespace {

struct CompletionOptions {
  const CLI::App* app = nullptr;
  std::string shell;
};

Done complete(Environment& env, const CompletionOptions& options) {
  env.out.raw(bash_completion(*options.app, "tallystick"));
  return {};
}

}  // namespace

void add_completion_command(Command app, Environment& env) {
  add_command<CompletionOptions>(
      app, env, "completion", "Shell completion, to be sourced", complete,
      [app](Command command, CompletionOptions& options) {
        options.app = &app.app();
        command.add_option("shell", options.shell, "bash").required().one_of({"bash"});
      });
}

}  // namespace tallystick::cli
