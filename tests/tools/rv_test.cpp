// Every answer of a module is told in words. The names are read from the headers and the module's
// own sources, so that a new one is noticed here.
#include "tools/cli/pkcs11/rv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "tests/tools/support.h"

namespace tallystick::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::set<std::string> matches_in(const std::string& text, const std::regex& pattern) {
  std::set<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) {
    found.insert(at->str());
  }
  return found;
}

// The numbers of the names, from the headers that define them.
std::map<std::string, CK_RV> numbers() {
  const std::regex definition(R"(#define\s+(CKR_\w+)\s+\(?((?:0x)?[0-9a-fA-F]+)UL\)?)");
  std::map<std::string, CK_RV> numbers;
  for (const char* header : {TALLYSTICK_P11_KIT_HEADER, TALLYSTICK_V3_HEADER}) {
    const std::string text = contents_of(header);
    for (std::sregex_iterator at(text.begin(), text.end(), definition), end; at != end; ++at) {
      numbers[(*at)[1]] = std::stoul((*at)[2], nullptr, 0);
    }
  }
  return numbers;
}

std::set<std::string> answers_of_the_module() {
  const std::regex name(R"(\bCKR_[A-Z0-9_]*[A-Z0-9]\b)");
  std::set<std::string> names;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(TALLYSTICK_MODULE_SOURCES)) {
    if (entry.is_regular_file()) names.merge(matches_in(contents_of(entry.path().string()), name));
  }
  names.erase("CKR_OK");
  return names;
}

TEST(AnswersOfModules, AllOfTheStandardHaveATextUnderTheirOwnName) {
  const auto all = numbers();
  ASSERT_GE(all.size(), 95U);
  for (const auto& [name, number] : all) {
    if (number == CKR_OK) continue;
    EXPECT_THAT(rv_text(number), EndsWith(" [" + name + "]"));
  }
}

TEST(AnswersOfModules, AllThatTheModulesSourcesNameHaveAText) {
  const auto all = numbers();
  const auto given = answers_of_the_module();
  ASSERT_GE(given.size(), 65U);
  for (const std::string& name : given) {
    const auto known = all.find(name);
    ASSERT_NE(known, all.end()) << name << " is in no header";
    EXPECT_THAT(rv_text(known->second), HasSubstr("[" + name + "]"));
  }
}

TEST(AnswersOfModules, AnUnknownOneIsShownAsItsNumber) {
  EXPECT_EQ(rv_text(0x80545301), "the module answered 0x80545301");
  EXPECT_EQ(from_rv("x", 0x80545301).exit, Exit::kToken);
}

// "`tallystick token init`" and the like.
TEST(AnswersOfModules, AdviceNamesCommandsThatExist) {
  const std::regex quoted("`tallystick ([a-z -]+)`");
  std::size_t named = 0;
  for (const auto& [name, number] : numbers()) {
    const std::string advice = from_rv("x", number).advice;
    for (std::sregex_iterator at(advice.begin(), advice.end(), quoted), end; at != end; ++at) {
      std::istringstream words((*at)[1]);
      std::vector<std::string> command(std::istream_iterator<std::string>(words), {});
      const std::string option = command.back().starts_with("--") ? command.back() : "";
      if (!option.empty()) command.pop_back();
      command.emplace_back("--help");
      const Ran ran = tallystick(command);
      EXPECT_EQ(ran.status, 0) << name << ": " << advice;
      EXPECT_THAT(ran.out, HasSubstr("Usage: tallystick " + (*at)[1].str().substr(0, 5)));
      EXPECT_THAT(ran.out, HasSubstr(option)) << name << ": " << advice;
      ++named;
    }
  }
  EXPECT_GE(named, 4U);
}

TEST(AnswersOfModules, TheAdviceForALockedPinDoesNotSendToInit) {
  for (const CK_RV rv : {CKR_PIN_LOCKED, CKR_USER_PIN_NOT_INITIALIZED}) {
    EXPECT_THAT(from_rv("x", rv).advice, HasSubstr("token set-pin"));
    EXPECT_THAT(from_rv("x", rv).advice, Not(HasSubstr("init`")));
  }
}

}  // namespace
}  // namespace tallystick::cli
