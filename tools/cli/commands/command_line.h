// The command line as the commands declare it. CLI11 parses it; it stands behind this page alone,
// because its templates take longer to compile than all that the commands do.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tallystick::cli {

// An option or a positional argument. What is said of it holds from then on.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option& required();
  // The help shows the value that the variable has now.
  Option& show_default();
  Option& one_of(std::vector<std::string> values);
  Option& between(unsigned least, unsigned most);
  Option& excludes(const Option& other);

 private:
  CLI::Option* option_;
};

// A command, or a group of commands. The command line keeps it; this names it.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(&app) {}

  Command add(const std::string& name, const std::string& description);
  // A name without dashes is a positional argument. The variable takes what was given, and lives
  // as long as the command line.
  Option add_option(const std::string& name, std::string& value, const std::string& help);
  Option add_option(const std::string& name, std::vector<std::string>& values,
                    const std::string& help);
  Option add_option(const std::string& name, std::uint32_t& value, const std::string& help);
  Option add_option(const std::string& name, std::uint64_t& value, const std::string& help);
  Option add_option(const std::string& name, std::optional<std::uint32_t>& value,
                    const std::string& help);
  Option add_flag(const std::string& name, bool& value, const std::string& help);

  void set_footer(const std::string& text);
  // Called when the command was asked for.
  void on_call(std::function<void()> work);
  [[nodiscard]] CLI::App& app() const { return *app_; }

 private:
  CLI::App* app_;
};

}  // namespace tallystick::cli
