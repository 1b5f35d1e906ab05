#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tests/tools/support.h"

namespace tallystick::cli {
namespace {

using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Visit = std::function<void(const std::vector<std::string>&, const CLI::App&)>;

std::string joined(const std::vector<std::string>& words) {
  std::string name;
  for (const std::string& word : words) name += (name.empty() ? "" : " ") + word;
  return name;
}

// Calls `visit` with the words of every command that does something.
void for_each_command(const CLI::App& app, const std::vector<std::string>& words,
                      const Visit& visit) {
  const auto below = app.get_subcommands({});
  if (below.empty()) visit(words, app);
  for (const CLI::App* command : below) {
    std::vector<std::string> longer = words;
    longer.push_back(command->get_name());
    for_each_command(*command, longer, visit);
  }
}

void for_each_command(const Visit& visit) {
  std::ostringstream unused;
  Environment env(unused, unused);
  const auto app = make_app(env);
  for_each_command(*app, {}, visit);
}

TEST(CommandLine, EveryCommandHasHelpWithTheExitCodes) {
  std::size_t commands = 0;
  for_each_command([&](std::vector<std::string> words, const CLI::App&) {
    ++commands;
    const std::string name = "tallystick " + joined(words);
    words.emplace_back("--help");
    const Ran ran = tallystick(words);
    EXPECT_EQ(ran.status, 0) << name;
    EXPECT_THAT(ran.out, HasSubstr("Usage: " + name)) << name;
    EXPECT_THAT(ran.out, HasSubstr("Exit status:")) << name;
  });
  EXPECT_GE(commands, 30U);
}

// The man page's text about one command; empty when there is none.
std::string section_about(const std::string& page, const std::string& command) {
  const std::size_t start = page.find(".TP\n.B " + command + "\n");
  if (start == std::string::npos) return "";
  // Options stand between .RS and .RE; a command without any ends at the next paragraph.
  const std::size_t next = page.find("\n.TP\n", start + 1);
  const std::size_t options = page.find("\n.RS\n", start);
  return page.substr(start, options < next ? page.find("\n.RE\n", options) - start : next - start);
}

TEST(CommandLine, EveryCommandStandsInTheManPageWithItsOptions) {
  const std::string page = contents_of(TALLYSTICK_MAN_PAGE);
  for_each_command([&](const std::vector<std::string>& words, const CLI::App& command) {
    const std::string name = joined(words);
    const std::string section = section_about(page, name);
    EXPECT_NE(section, "") << name << " is not in the man page";
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& word : option->get_lnames()) {
        if (word == "help") continue;
        const std::string escaped = std::regex_replace("--" + word, std::regex("-"), "\\-");
        EXPECT_THAT(section,
                    AnyOf(HasSubstr("\\fB" + escaped + "\\fR"), HasSubstr(".B " + escaped + "\n")))
            << name;
      }
    }
  });
}

TEST(CommandLine, EveryCommandStandsInTheCompletion) {
  const Ran ran = tallystick({"completion", "bash"});
  ASSERT_EQ(ran.status, 0);
  for_each_command([&](const std::vector<std::string>& words, const CLI::App&) {
    EXPECT_THAT(ran.out, HasSubstr("'" + joined(words) + "')"));
  });
}

TEST(CommandLine, WrongOnesEndWithOneLineAndStatus1) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"bogus"},
      {"token"},
      {"token", "init"},
      {"token", "init", "--label", ""},
      {"icm", "family", "create", "--icm-key", "x", "--further-shares", "7"},
      {"program", "--parts", "x", "--package", "y", "-j", "0"},
      {"icm", "certificate", "--icm-key", "pkcs12:", "-o", "x"},
      {"oem", "install-software", "x", "--fingerprint", "12"},
      {"proof", "make", "x", "--challenge", "12", "-o", "y"},
      {"completion", "fish"},
      {"icm", "manufacture-parts", "1", "--icm-token", "x", "--icm-key", "y", "--dir", "z",
       "--flash-base", "-1"},
      {"part", "read", "x", "--slot", "-1", "-o", "y"},
      {"part", "read", "x", "--slot", "010", "-o", "y"},
      {"part", "read", "x", "--slot", "4294967296", "-o", "y"},
      {"oem", "share-for-device", "x", "--shares", "x", "--grant", "x", "-o", "x", "--first-number",
       "18446744073709551616"}};
  for (const auto& arguments : wrong) {
    const Ran ran = tallystick(arguments);
    EXPECT_EQ(ran.status, 1) << ::testing::PrintToString(arguments);
    EXPECT_THAT(ran.err, StartsWith("tallystick: "));
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
}

TEST(CommandLine, AMissingModuleIsATokenFailure) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"token", "list"},
        std::vector<std::string>{"token", "public-key", "--token", "pkcs11:token=a"},
        std::vector<std::string>{"icm", "key", "--key",
                                 "pkcs11:token=a;object=b?module-path=/nonexistent.so"},
        std::vector<std::string>{"icm", "key", "--key",
                                 "pkcs11:token=a;object=b?module-name=nonexistent"}}) {
    const Ran ran = tallystick(arguments);
    EXPECT_EQ(ran.status, 3) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("nonexistent"));
  }
}

TEST(CommandLine, AMissingFileIsAFileFailure) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"inspect", "/nonexistent"},
        std::vector<std::string>{"software", "verify", "/nonexistent", "--icm-key", "/nonexistent"},
        std::vector<std::string>{"part", "info", "/nonexistent"},
        std::vector<std::string>{"program", "--parts", "/nonexistent", "--package",
                                 "/nonexistent"}}) {
    const Ran ran = tallystick(arguments);
    EXPECT_EQ(ran.status, 4) << ran.err;
    EXPECT_THAT(ran.err, StartsWith("tallystick: /nonexistent: No such file"));
  }
}

TEST(CommandLine, VersionIsTold) {
  const Ran ran = tallystick({"--version"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, StartsWith("tallystick "));
}

TEST(CommandLine, GlobalOptionsMayStandAfterTheCommand) {
  const Ran after = tallystick({"token", "list", "--json", "--module", "/nonexistent.so"});
  EXPECT_EQ(after.status, 3);
  EXPECT_THAT(after.err, HasSubstr("/nonexistent.so"));
}

}  // namespace
}  // namespace tallystick::cli
