#include "tools/cli/formats/family_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tallystick::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kSecret(64, 'a');
const core::Bytes kIcmKey(96, 1);

std::string document(const std::string& shares, const std::string& flags = "0") {
  return R"({"family_id": "00112233445566778899aabbccddeeff", "flags": )" + flags +
         R"(, "shares": )" + shares + R"(, "k_oem_share": ")" + kSecret +
         R"(", "k_oem_master_share": ")" + kSecret + R"("})";
}

std::string two_shares() { return "[\"" + kSecret + "\", \"" + kSecret + "\"]"; }

Outcome<core::Family> parse_family(const std::string& text) {
  return parse_family_file("family.json", core::bytes_of(text), kIcmKey);
}

std::string family_error(const std::string& text) {
  const auto family = parse_family(text);
  EXPECT_FALSE(family.ok()) << text;
  return family ? "" : line_of(family.error());
}

TEST(FamilyFile, ReadsSharesKeysAndFlags) {
  const auto family = parse_family(document(two_shares(), "\"counted\""));
  ASSERT_TRUE(family.ok()) << line_of(family.error());
  EXPECT_EQ(family->shares.size(), 2U);
  EXPECT_TRUE(family->counted());
  EXPECT_EQ(family->id[15], 0xFF);
  EXPECT_TRUE(family->k_oem_master_share.has_value());
  EXPECT_EQ(family->shares[0].view()[31], 0xAA);
}

TEST(FamilyFile, WrongFilesAreRefusedAndNoSecretIsShown) {
  for (const std::string& text :
       {document("[\"" + kSecret + "\"]"), document("[\"" + kSecret + "\", \"aa\"]"),
        document("[\"" + kSecret + "\", 7]"), document("{}"), document(two_shares(), "3"),
        document(two_shares(), "-1"), document(two_shares(), "\"both\""), std::string("[]"),
        std::string("{}"), std::string("{"), std::string(4096, '[')}) {
    EXPECT_THAT(family_error(text), Not(HasSubstr("aaaaaaaa"))) << text;
  }
  std::string unknown = document(two_shares());
  unknown.insert(1, "\"more\": 1, ");
  EXPECT_THAT(family_error(unknown), HasSubstr("\"more\" is not known here"));
}

}  // namespace
}  // namespace tallystick::cli
