// `tallystick completion bash`: made from the command line itself, so that it is never behind.
#include <sstream>

#include <CLI/CLI.hpp>

#include "tools/cli/commands/command.h"
#include "tools/cli/commands/commands.h"

namespace tallystick::cli {
namespace {

struct CompletionOptions {
  const CLI::App* app = nullptr;
  std::string shell;
};

// Long names of the options and names of the sub-commands of one command.
std::string words_of(const CLI::App& command, const CLI::App& root) {
  std::string words;
  for (const CLI::App* sub : command.get_subcommands({})) words += sub->get_name() + " ";
  for (const CLI::App* from : {&command, &root}) {
    for (const CLI::Option* option : from->get_options()) {
      for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
    }
    if (from == &root || &command == &root) break;
  }
  return words;
}

void add_cases(std::ostream& out, const CLI::App& command, const std::string& path,
               const CLI::App& root) {
  out << "    '" << path << "') words='" << words_of(command, root) << "' ;;\n";
  for (const CLI::App* sub : command.get_subcommands({})) {
    add_cases(out, *sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), root);
  }
}

Done complete(Environment& env, const CompletionOptions& options) {
  std::ostringstream out;
  out << "# bash completion for tallystick; to be sourced, for example from ~/.bashrc:\n"
         "#   source <(tallystick completion bash)\n"
         "_tallystick() {\n"
         "  local path='' word words i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n"
         "    case \"${path:+$path }$word\" in\n";
  std::ostringstream paths;
  add_cases(paths, *options.app, "", *options.app);
  // The known paths, as alternatives of one pattern.
  std::string alternatives;
  std::istringstream lines(paths.str());
  for (std::string line; std::getline(lines, line);) {
    const std::size_t end = line.find("')");
    if (end == std::string::npos || end <= 5) continue;
    if (!alternatives.empty()) alternatives += " | ";
    alternatives += line.substr(4, end - 3);
  }
  out << "      " << alternatives << ") path=${path:+$path }$word ;;\n"
      << "    esac\n"
         "  done\n"
         "  case \"$path\" in\n"
      << paths.str()
      << "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
         "}\n"
         "complete -o default -F _tallystick tallystick\n";
  env.out.raw(out.str());
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
