#include "tools/cli/formats/share_file.h"

#include <gtest/gtest.h>

#include "tests/tools/support.h"
#include "tools/cli/formats/challenge.h"

namespace tallystick::cli {
namespace {

TEST(ShareFile, ComesBackAsItWasWritten) {
  const Scratch scratch;
  core::Context context;
  context.family_id.fill(1);
  context.oem_id.fill(2);
  context.share_id.fill(3);
  context.sw_floor = 0xFFFFFFFF;
  ASSERT_TRUE(write_share_file(scratch / "shares.json", context).ok());
  const auto read = read_share_file(scratch / "shares.json");
  ASSERT_TRUE(read.ok()) << line_of(read.error());
  EXPECT_EQ(*read, context);
}

TEST(ShareFile, GrantsComeBackAsTheyWereWritten) {
  const Scratch scratch;
  Grant grant;
  grant.share_id.fill(1);
  grant.job_id.fill(2);
  grant.limit = 0xFFFFFFFFFFFFFFFF;
  grant.signature.fill(3);
  ASSERT_TRUE(write_grant_file(scratch / "grant.json", grant).ok());
  const auto read = read_grant_file(scratch / "grant.json");
  ASSERT_TRUE(read.ok()) << line_of(read.error());
  EXPECT_EQ(read->limit, grant.limit);
  EXPECT_EQ(read->signature, grant.signature);
}

TEST(ShareFile, P06_OneKindOfFileIsNotTakenForAnother) {
  const Scratch scratch;
  ASSERT_TRUE(write_share_file(scratch / "shares.json", {}).ok());
  EXPECT_FALSE(read_grant_file(scratch / "shares.json").ok());
  EXPECT_FALSE(read_consent_file(scratch / "shares.json").ok());
}

TEST(ShareFile, P01_DeepAndLargeFilesAreRefused) {
  const Scratch scratch;
  const auto deep = read_share_file(scratch.file("deep.json", std::string(60000, '[')));
  ASSERT_FALSE(deep.ok());
  EXPECT_EQ(deep.error().exit, Exit::kFile);
  EXPECT_FALSE(read_share_file(scratch.file("large.json", std::string(70000, ' '))).ok());
}

TEST(Challenge, IsHexOrAFileOfHexOrOfBytes) {
  const Scratch scratch;
  const std::string digits(64, 'b');
  const auto plain = parse_challenge(digits);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ((*plain)[31], 0xBB);
  const auto hex = parse_challenge("file:" + scratch.file("hex", digits + "\n"));
  ASSERT_TRUE(hex.ok());
  EXPECT_EQ(*hex, *plain);
  const auto raw = parse_challenge("file:" + scratch.file("raw", std::string(32, '\xbb')));
  ASSERT_TRUE(raw.ok());
  EXPECT_EQ(*raw, *plain);
  EXPECT_FALSE(parse_challenge("").ok());
  EXPECT_FALSE(parse_challenge("file:" + scratch.file("short", "bb")).ok());
  EXPECT_FALSE(parse_challenge("file:" + (scratch / "nowhere")).ok());
}

}  // namespace
}  // namespace tallystick::cli
