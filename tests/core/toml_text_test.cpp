// What is refused in the text of a TOML file before a parser sees it.
#include "core/base/toml_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tallystick::test {
namespace {

using ::testing::StartsWith;

constexpr std::string_view kControl = "a control character";
constexpr std::string_view kOutside = "a character outside ASCII";

TEST(TomlText, IsFineWhereOnlyCommentsAndTextsOnOneLineHaveMoreThanAscii) {
  for (const std::string text : {
           "",
           "a = 1\r\n\tb = 2\n",
           "\xEF\xBB\xBF"
           "a = 1\n",
           "# Grüße\na = 1 # 'Grüße \"\nb = 2\n",
           R"(a = "Grüße" # ü)",
           R"(a = 'Grüße' # ü)",
           R"("ä" = 1)",
           R"(a = "\"ü" # ")",
           R"(a = "\\" # ü)",
           R"(a = '\' # ü)",
           R"(a = "'ü" # ")",
           R"(a = "" # ü)",
           R"(a = '' # ü)",
           "a = \"\"\"\none\n\"two\"\n\\\"\"\"\"\nb = \"ü\"\n",
           "a = \"\"\"\"\"\"\nb = \"ü\"",
           "a = '''x'''''\nb = 'ü'",
           "a = \"\"\"x\"\"\"\"\" # ü",
       }) {
    EXPECT_FALSE(core::objection_to_toml(text)) << text;
  }
}

TEST(TomlText, IsObjectedToWithTheLine) {
  struct Case {
    std::string text;
    std::uint32_t line;
    std::string_view what;
  };
  for (const Case& one : {
           Case{std::string("a = \"\0\"", 7), 1, kControl},
           Case{"# \x01", 1, kControl},
           Case{"a = 1\n\x7f", 2, kControl},
           Case{"\u00E9 = 1", 1, kOutside},
           Case{"a = \u00E9", 1, kOutside},
           Case{"\n\na = \"b\" \u00A0\n", 3, kOutside},
           Case{"a = [\u0499]", 1, kOutside},
           Case{"a = \"b\n\u00E9", 2, kOutside},
           Case{"a = 'b\n\u00E9", 2, kOutside},
           Case{"# \"\n\u00E9", 2, kOutside},
           Case{"a = '\\'\u00E9", 1, kOutside},
           Case{"a = \"\\\\\"\u00E9", 1, kOutside},
           Case{"a = \"\"\"\none\n\u00E9", 3, kOutside},
           Case{"a = '''\n\\\n\u00E9", 3, kOutside},
           Case{"a = \"\"\"x\"\"\"\"\"\u00E9", 1, kOutside},
           Case{"a = 1\n\xEF\xBB\xBF", 2, kOutside},
           Case{"\xff\xfe", 1, kOutside},
       }) {
    const auto objection = core::objection_to_toml(one.text);
    ASSERT_TRUE(objection) << one.text;
    EXPECT_EQ(objection->line, one.line) << one.text;
    EXPECT_THAT(std::string(objection->what), StartsWith(std::string(one.what))) << one.text;
  }
}

}  // namespace
}  // namespace tallystick::test
