#include "tools/cli/formats/permission_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tallystick::cli {
namespace {

using core::Operation;
using ::testing::HasSubstr;

constexpr std::string_view kHead =
    "name = \"standard\"\nversion = 7\nfamily_id = \"11111111-2222-3333-4444-555555555555\"\n"
    "roles = [\"provisioning\", \"part\"]\n[permit]\n";

Outcome<PermissionList> parse(const std::string& text) {
  return parse_permission_list("list.toml", text, std::nullopt);
}

std::string error_of(const std::string& text) {
  const auto list = parse(text);
  EXPECT_FALSE(list.ok()) << text;
  if (list) return "";
  EXPECT_EQ(list.error().exit, Exit::kFile);
  return line_of(list.error());
}

TEST(PermissionList, ReadsEveryOperationByItsName) {
  const auto list = parse(std::string(kHead) +
                          "make-shares = true\nregenerate = true\ngive-blobs = [1, 3]\n"
                          "take-blobs = [2]\nseal = [\"gcm\", \"ccm\"]\nopen = \"gcm\"\n"
                          "further-types = true\ngenerate = [\"aes128\", \"bytes\"]\n"
                          "install = true\nprove = true\n"
                          "life-cycle = [\"blank to provisioning\", \"provisioned to locked\"]\n"
                          "nxp-commands = true\n");
  ASSERT_TRUE(list.ok()) << line_of(list.error());
  const std::vector<core::PermissionRecord> expected = {
      {1, 0},         {2, 0}, {3, 0b1010}, {4, 0b100},   {5, 0b110},   {6, 0b10}, {7, 0},
      {8, 0b1000001}, {9, 0}, {10, 0},     {11, 0x0001}, {11, 0x0203}, {12, 0}};
  EXPECT_EQ(list->records, expected);
  EXPECT_EQ(list->header.name, "standard");
  EXPECT_EQ(list->header.version, 7U);
  EXPECT_EQ(list->header.role_mask, 0b10100);
  EXPECT_EQ(list->header.family_id[0], 0x11);
}

TEST(PermissionList, WhatIsFalseIsNotPermitted) {
  const auto list = parse(std::string(kHead) + "make-shares = false\nprove = true\n");
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->records.size(), 1U);
  EXPECT_EQ(list->records[0].operation, static_cast<std::uint16_t>(Operation::kProve));
}

TEST(PermissionList, AnUnknownOperationIsNamedWithItsLine) {
  EXPECT_THAT(error_of(std::string(kHead) + "make-share = true\n"),
              HasSubstr("list.toml, line 6: make-share is not known here"));
}

TEST(PermissionList, ANameThatFitsInNoHeaderIsRefusedWithItsLine) {
  const std::string head(kHead);
  const std::string name = "standard";
  for (const auto& other : {std::string(33, 'x'), std::string("a\\u0000b")}) {
    auto changed = head;
    changed.replace(changed.find(name), name.size(), other);
    EXPECT_THAT(error_of(changed + "prove = true\n"),
                HasSubstr("name must be at most 32 bytes of UTF-8 without NUL"));
  }
}

TEST(PermissionList, AnUnknownHeadFieldIsRefused) {
  EXPECT_THAT(error_of("nmae = \"x\"\n" + std::string(kHead) + "prove = true\n"),
              HasSubstr("nmae is not known"));
}

TEST(PermissionList, EmptyMasksUnknownNamesAndBackwardMovesAreRefused) {
  EXPECT_THAT(error_of(std::string(kHead) + "seal = []\n"), HasSubstr("seal is an empty list"));
  EXPECT_THAT(error_of(std::string(kHead) + "seal = [\"cbc\"]\n"), HasSubstr("seal knows"));
  EXPECT_THAT(error_of(std::string(kHead) + "give-blobs = [0]\n"), HasSubstr("give-blobs knows"));
  EXPECT_THAT(error_of(std::string(kHead) + "give-blobs = [4]\n"), HasSubstr("from 0 to 3"));
  EXPECT_THAT(error_of(std::string(kHead) + "generate = [\"aes512\"]\n"),
              HasSubstr("does not know \"aes512\""));
  EXPECT_THAT(error_of(std::string(kHead) + "life-cycle = [\"locked to blank\"]\n"),
              HasSubstr("forwards only"));
  EXPECT_THAT(error_of(std::string(kHead)), HasSubstr("permits nothing"));
}

TEST(PermissionList, MissingFieldsAreNamed) {
  EXPECT_THAT(error_of("version = 1\n"), HasSubstr("name is missing"));
  EXPECT_THAT(error_of("name = \"a\"\nversion = 4294967296\n"), HasSubstr("version must be"));
  EXPECT_THAT(error_of("name = \"a\"\nversion = -1\n"), HasSubstr("version must be"));
  EXPECT_THAT(error_of("name = \"a\"\nversion = 1\nroles = [\"part\"]\n[permit]\nprove = true\n"),
              HasSubstr("family_id is missing"));
}

TEST(PermissionList, TheCommandLinesFamilyMustBeTheFilesOne) {
  const auto list =
      parse_permission_list("list.toml", std::string(kHead) + "prove = true\n", core::FamilyId{});
  ASSERT_FALSE(list.ok());
  EXPECT_THAT(list.error().why, HasSubstr("not the family that the command line names"));
}

TEST(PermissionList, NotTomlIsToldWithItsLine) {
  EXPECT_THAT(error_of("name = \"a\"\nversion 1\n"), HasSubstr("list.toml, line 2"));
}

}  // namespace
}  // namespace tallystick::cli
