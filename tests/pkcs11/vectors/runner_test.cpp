// The runner itself: what it counts, and how it reads CAVP response files.
#include "tests/pkcs11/vectors/runner.h"

#include <gtest/gtest.h>

namespace tallystick::test {
namespace {

TEST(VectorRunner, ACavpFileKeepsItsHeadersAndEndsCasesAtBlankLines) {
  const auto json = cavp_as_json(
      "# a comment\r\n"
      "[PLAINTEXT LENGTH = 128]\r\n"
      "[Taglen = 96]\r\n"
      "\r\n"
      "COUNT = 0\r\n"
      "K = 00ff\r\n"
      "P = \r\n"
      "\r\n"
      "COUNT = 1\r\n"
      "FAIL\r\n"
      "[Taglen = 104]\r\n"
      "COUNT = 0\r\n");
  const auto& groups = json.at("testGroups");
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].at("PLAINTEXTLENGTH"), "128");
  EXPECT_EQ(groups[0].at("Taglen"), "96");
  ASSERT_EQ(groups[0].at("tests").size(), 2U);
  EXPECT_EQ(groups[0].at("tests")[0].at("K"), "00ff");
  EXPECT_EQ(groups[0].at("tests")[0].at("P"), "");
  EXPECT_EQ(groups[0].at("tests")[1].at("FAIL"), true);
  EXPECT_EQ(groups[1].at("PLAINTEXTLENGTH"), "128");
  EXPECT_EQ(groups[1].at("Taglen"), "104");
  EXPECT_EQ(groups[1].at("tests").size(), 1U);
}

TEST(VectorRunner, ACavpFileSharesWhatStandsInABlockWithoutACount) {
  const auto json = cavp_as_json(
      "Plen = 24\n\n[Alen = 0, Tlen = 4]\n\nKey = 01\n\nCount = 0\nCT = aa\n\n"
      "Key = 02\n\nCount = 1\nCT = bb\n");
  const auto& groups = json.at("testGroups");
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].at("Plen"), "24");
  EXPECT_EQ(groups[0].at("Alen"), "0");
  EXPECT_EQ(groups[0].at("Tlen"), "4");
  EXPECT_EQ(groups[0].at("Key"), "01");
  EXPECT_EQ(groups[0].at("tests").size(), 1U);
  EXPECT_EQ(groups[1].at("Tlen"), "4");
  EXPECT_EQ(groups[1].at("Key"), "02");
  EXPECT_EQ(groups[1].at("tests")[0].at("CT"), "bb");
}

TEST(VectorRunner, AnAcceptableCaseMayGoEitherWayAndTheOthersNot) {
  const auto test = [](const char* result) { return nlohmann::json{{"result", result}}; };
  EXPECT_TRUE(as_expected(test("valid"), true).holds());
  EXPECT_FALSE(as_expected(test("valid"), false).holds());
  EXPECT_TRUE(as_expected(test("invalid"), false).holds());
  EXPECT_FALSE(as_expected(test("invalid"), true).holds());
  EXPECT_TRUE(as_expected(test("acceptable"), true).holds());
  EXPECT_TRUE(as_expected(test("acceptable"), false).holds());
}

}  // namespace
}  // namespace tallystick::test
