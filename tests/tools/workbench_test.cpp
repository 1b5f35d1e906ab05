#include "tools/cli/programming/workbench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/tools/support.h"

namespace tallystick::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename());
  return names;
}

void write_on(const Workbench& bench, const std::string& name, std::string_view text) {
  test::write_file(bench.path(name), core::bytes_of(text));
}

TEST(Workbench, DeliversWholeFilesAndLeavesNothingBehind) {
  const Scratch scratch;
  {
    const auto bench = Workbench::open(scratch.path());
    ASSERT_TRUE(bench.ok());
    write_on(*bench, "a", "whole");
    write_on(*bench, "b", "half");
    EXPECT_FALSE(exists(scratch / "a"));
    ASSERT_TRUE(bench->deliver("a").ok());
    EXPECT_EQ(contents_of(scratch / "a"), "whole");
  }
  EXPECT_EQ(names_in(scratch.path()), std::vector<std::string>{"a"});
}

TEST(Workbench, NeverWritesOverWhatIsThere) {
  const Scratch scratch;
  const auto bench = Workbench::open(scratch.path());
  ASSERT_TRUE(bench.ok());
  write_on(*bench, "a", "mine");
  // Another run was faster.
  scratch.file("a", "theirs");
  const auto done = bench->deliver("a");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().exit, Exit::kFile);
  EXPECT_EQ(done.error().what, scratch / "a") << "the file is named";
  EXPECT_THAT(done.error().why, HasSubstr("there already"));
  EXPECT_EQ(contents_of(scratch / "a"), "theirs");
}

TEST(Workbench, RunsAtTheSameTimeDoNotMeet) {
  const Scratch scratch;
  const auto first = Workbench::open(scratch.path());
  ASSERT_TRUE(first.ok());
  write_on(*first, "a", "first");
  const auto second = Workbench::open(scratch.path());
  ASSERT_TRUE(second.ok());
  write_on(*second, "a", "second");
  EXPECT_EQ(contents_of(first->path("a")), "first") << "not cleared away by the second";
  EXPECT_TRUE(second->deliver("a").ok());
  EXPECT_FALSE(first->deliver("a").ok());
  EXPECT_EQ(contents_of(scratch / "a"), "second");
}

TEST(Workbench, WhatAKilledRunLeftIsCleared) {
  const Scratch scratch;
  fs::create_directory(scratch / ".unfinished-0123456789abcdef");
  scratch.file(".unfinished-0123456789abcdef/part-0001.part", "half");
  scratch.file(".unfinished-and-a-file", "somebody's");
  {
    const auto bench = Workbench::open(scratch.path());
    ASSERT_TRUE(bench.ok());
  }
  EXPECT_EQ(names_in(scratch.path()), std::vector<std::string>{".unfinished-and-a-file"});
}

TEST(Workbench, ADirectoryThatIsNotThereIsNamed) {
  const Scratch scratch;
  const auto bench = Workbench::open(scratch / "nowhere");
  ASSERT_FALSE(bench.ok());
  EXPECT_EQ(bench.error().what, scratch / "nowhere");
}

}  // namespace
}  // namespace tallystick::cli
