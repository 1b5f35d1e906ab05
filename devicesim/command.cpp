#include "devicesim/command.h"

#include <cmath>
#include <ostream>

#include "devicesim/command/completion.h"

namespace tallystick::device {
namespace {

using core::Error;
using core::ErrorCode;
using core::Status;

int exit_status(const Error& error) {
  switch (error.code) {
    case ErrorCode::kStorage:
      return kExitStorage;
    case ErrorCode::kInvalidArgument:
      return kExitUsage;
    default:
      return kExitRefused;
  }
}

struct CompletionOptions {
  std::string shell;
};

Status complete(Desk& desk, const CompletionOptions&) {
  Chosen unused;
  CLI::App app("", "tallystick-devicesim");
  describe_command_line(app, unused);
  desk.out << bash_completion(app, app.get_name());
  return {};
}

}  // namespace

void describe_command_line(CLI::App& app, Chosen& chosen) {
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("tallystick-devicesim ") + TALLYSTICK_VERSION);
  app.footer(
      "Exit status: 0 done, 1 refused by the part, 2 wrong arguments, 3 a file cannot be read or "
      "written.");
  add_part_commands(app, chosen);
  add_boot_command(app, chosen);
  add_life_cycle_commands(app, chosen);
  add_key_commands(app, chosen);
  add_debug_commands(app, chosen);
  add_serve_command(app, chosen);
  add_command<CompletionOptions>(app, chosen, "completion", "Shell completion, to be sourced",
                                 complete, [](CLI::App& command, CompletionOptions& options) {
                                   command.add_option("shell", options.shell, "bash")
                                       ->required()
                                       ->check(CLI::IsMember({"bash"}));
                                 });
}

int run_command(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  Chosen chosen;
  CLI::App app("Simulated parts, each in a file of its own", "tallystick-devicesim");
  describe_command_line(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? kExitDone : kExitUsage;
  }
  auto crypto = core::Crypto::create();
  Desk desk{crypto ? *crypto : nullptr, out, err};
  auto done = crypto ? chosen(desk) : Status(crypto.error());
  if (!done) {
    err << "tallystick-devicesim: " << done.error().message << "\n";
    return exit_status(done.error());
  }
  out.flush();
  if (!out) return kExitStorage;
  return kExitDone;
}

}  // namespace tallystick::device
