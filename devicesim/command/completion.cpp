#include "devicesim/command/completion.h"

#include <algorithm>
#include <sstream>

#include <CLI/CLI.hpp>

namespace tallystick {
namespace {

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

}  // namespace

std::string bash_completion(const CLI::App& app, const std::string& program) {
  // A function's name has no hyphen.
  std::string function = "_" + program;
  std::ranges::replace(function, '-', '_');
  std::ostringstream out;
  out << "# bash completion for " << program
      << "; to be sourced, for example from ~/.bashrc:\n"
         "#   source <("
      << program << " completion bash)\n"
      << function
      << "() {\n"
         "  local path='' word words i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n"
         "    case \"${path:+$path }$word\" in\n";
  std::ostringstream paths;
  add_cases(paths, app, "", app);
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
         "complete -o default -F "
      << function << " " << program << "\n";
  return out.str();
}

}  // namespace tallystick
