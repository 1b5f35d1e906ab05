#include "tools/cli/app.h"

#include <charconv>
#include <exception>
#include <ostream>

#include <CLI/CLI.hpp>

#include "tools/cli/commands/commands.h"

namespace tallystick::cli {
namespace {

// CLI11 alone takes "-1" and whatever is too large for the largest number there is, and "010" for
// eight. Empty: `text` is a number from 0 to 2^64 - 1, in decimal or after 0x in hexadecimal.
std::string whole_number(const std::string& text) {
  const bool hexadecimal = text.starts_with("0x");
  const char* const first = text.data() + (hexadecimal ? 2 : 0);
  const char* const last = text.data() + text.size();
  std::uint64_t value = 0;
  const auto read = std::from_chars(first, last, value, hexadecimal ? 16 : 10);
  const bool leading_zero = !hexadecimal && text.size() > 1 && text.front() == '0';
  if (read.ec == std::errc() && read.ptr == last && !leading_zero) return "";
  return text + " is not a number from 0 on, or too large";
}

// Every group and every command is asked for by name, and takes the global options after its own.
void settle(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands({})) {
    command->fallthrough();
    if (!command->get_subcommands({}).empty()) command->require_subcommand(1);
    for (CLI::Option* option : command->get_options()) {
      if (option->get_type_name().starts_with("UINT")) option->check(whole_number);
    }
    settle(*command);
  }
}

int report(Environment& env, const Failure& failure) {
  env.out.complain(line_of(failure));
  return static_cast<int>(failure.exit);
}

int parse_and_run(CLI::App& app, Environment& env, int argc, const char* const* argv,
                  std::ostream& out) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* asked = &app;
    std::string above;
    while (!asked->get_subcommands().empty()) {
      above += (above.empty() ? "" : " ") + asked->get_name();
      asked = asked->get_subcommands().front();
    }
    out << asked->help(above) << std::flush;
    return static_cast<int>(Exit::kOk);
  } catch (const CLI::CallForVersion& version) {
    out << version.what() << std::endl;
    return static_cast<int>(Exit::kOk);
  } catch (const CLI::ParseError& error) {
    return report(env, usage_failure("command line", error.what()));
  }
  const Done done = env.action(env);
  return done ? static_cast<int>(Exit::kOk) : report(env, done.error());
}

}  // namespace

std::unique_ptr<CLI::App> make_app(Environment& env) {
  auto app = std::make_unique<CLI::App>(
      "Tallystick: sealed, counted provisioning of parts through factories that are not trusted",
      "tallystick");
  app->footer(kExitCodeHelp);
  app->set_version_flag("--version", "tallystick " TALLYSTICK_VERSION, "Print the version");
  app->add_flag_callback(
      "--json", [&env] { env.out.use_json(true); }, "Print data as JSON");
  app->add_flag_callback(
      "--quiet", [&env] { env.out.be_quiet(true); }, "Print errors only");
  app->add_option_function<std::string>(
      "--module", [&env](const std::string& path) { env.modules.use_by_default(path); },
      "PKCS#11 module for URIs without module-path (default: $TALLYSTICK_MODULE, then the "
      "Tallystick token)");
  app->add_option("--pin-source", env.pin_source,
                  "Where PINs come from: file:PATH or env:NAME (default: $TALLYSTICK_PIN, then "
                  "the terminal)");
  app->require_subcommand(1);
  const Command root(*app);
  add_token_commands(root, env);
  add_icm_commands(root, env);
  add_oem_commands(root, env);
  add_cm_commands(root, env);
  add_station_commands(root, env);
  add_part_commands(root, env);
  add_proof_commands(root, env);
  add_inspect_command(root, env);
  add_completion_command(root, env);
  settle(*app);
  return app;
}

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  Environment env(out, err);
  try {
    const auto app = make_app(env);
    const int status = parse_and_run(*app, env, argc, argv, out);
    // A result that nobody got is no success.
    if (status == 0 && !out.flush()) {
      return report(env, file_failure("standard output", "it could not be written"));
    }
    return status;
  } catch (const std::bad_alloc&) {
    return report(env, {Exit::kInternal, "tallystick", "out of memory", ""});
  } catch (const std::exception& error) {
    return report(env, {Exit::kInternal, "tallystick", error.what(), ""});
  }
}

}  // namespace tallystick::cli
