// The command line of tallystick-devicesim beside its man page and its completion.
#include <gmock/gmock.h>

#include <fstream>
#include <functional>
#include <regex>
#include <sstream>

#include "devicesim/command.h"
#include "devicesim/command/completion.h"

namespace tallystick::test {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

using Visit = std::function<void(const std::string& name, const CLI::App& command)>;

void for_each_command(const CLI::App& app, const std::string& before, const Visit& visit) {
  for (const CLI::App* sub : app.get_subcommands({})) {
    const auto name = before.empty() ? sub->get_name() : before + " " + sub->get_name();
    if (sub->get_subcommands({}).empty()) {
      visit(name, *sub);
    } else {
      for_each_command(*sub, name, visit);
    }
  }
}

class DevicesimCommandLine : public ::testing::Test {
 protected:
  DevicesimCommandLine() { device::describe_command_line(app_, chosen_); }

  device::Chosen chosen_;
  CLI::App app_{"", "tallystick-devicesim"};
};

TEST_F(DevicesimCommandLine, StandsInTheManPageWithAllOptions) {
  std::stringstream page;
  page << std::ifstream(TALLYSTICK_DEVICESIM_MAN_PAGE).rdbuf();
  const auto text = page.str();
  unsigned commands = 0;
  for_each_command(app_, "", [&](const std::string& name, const CLI::App& command) {
    ++commands;
    const auto start = text.find(".TP\n.B " + name + "\n");
    ASSERT_NE(start, std::string::npos) << name << " is not in the man page";
    const auto next = text.find("\n.TP\n", start + 1);
    const auto options = text.find("\n.RS\n", start);
    const auto section =
        text.substr(start, options < next ? text.find("\n.RE\n", options) - start : next - start);
    for (const CLI::Option* option : command.get_options()) {
      for (const auto& word : option->get_lnames()) {
        if (word == "help") continue;
        const auto escaped = std::regex_replace("--" + word, std::regex("-"), "\\-");
        EXPECT_THAT(section,
                    AnyOf(HasSubstr("\\fB" + escaped + "\\fR"), HasSubstr(".B " + escaped + "\n")))
            << name;
      }
    }
  });
  EXPECT_GE(commands, 15U);
}

TEST_F(DevicesimCommandLine, StandsInTheCompletionWithAllOptions) {
  const auto script = bash_completion(app_, "tallystick-devicesim");
  EXPECT_THAT(script, HasSubstr("complete -o default -F _tallystick_devicesim "));
  for_each_command(app_, "", [&](const std::string& name, const CLI::App& command) {
    const auto start = script.find("'" + name + "') words='");
    ASSERT_NE(start, std::string::npos) << name;
    const auto line = script.substr(start, script.find('\n', start) - start);
    for (const CLI::Option* option : command.get_options()) {
      for (const auto& word : option->get_lnames()) EXPECT_THAT(line, HasSubstr("--" + word + " "));
    }
  });
}

}  // namespace
}  // namespace tallystick::test
