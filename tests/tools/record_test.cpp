#include "tools/cli/programming/record.h"

#include <gtest/gtest.h>

#include "tests/tools/support.h"

namespace tallystick::cli {
namespace {

using Json = nlohmann::ordered_json;

Json line(const std::string& id, const std::string& result = "ok") {
  return {{"part_id", id}, {"result", result}, {"package_digest", "d"}};
}

TEST(Record, RemembersWhatEarlierRunsDid) {
  const Scratch scratch;
  {
    auto record = Record::open(scratch / "log.jsonl");
    ASSERT_TRUE(record.ok());
    ASSERT_TRUE(record->append(line("a")).ok());
    ASSERT_TRUE(record->append(line("b", "failed")).ok());
  }
  const auto record = Record::open(scratch / "log.jsonl");
  ASSERT_TRUE(record.ok());
  EXPECT_TRUE(record->has("a", "d"));
  EXPECT_FALSE(record->has("a", "other package"));
  EXPECT_FALSE(record->has("b", "d"));
}

TEST(Record, ALineThatWasCutIsPassedOverAndNotContinued) {
  const Scratch scratch;
  const auto path = scratch.file("log.jsonl", line("a").dump() + "\n{\"part_id\": \"b\", \"res");
  {
    auto record = Record::open(path);
    ASSERT_TRUE(record.ok());
    EXPECT_TRUE(record->has("a", "d"));
    ASSERT_TRUE(record->append(line("c")).ok());
  }
  const auto record = Record::open(path);
  ASSERT_TRUE(record.ok());
  EXPECT_TRUE(record->has("c", "d"));
  EXPECT_FALSE(record->has("b", "d"));
}

TEST(Record, NonsenseInItIsPassedOver) {
  const Scratch scratch;
  const auto record = Record::open(scratch.file(
      "log.jsonl", "\n[]\n7\n{}\n" + std::string(5000, '[') + "\n" + line("a").dump() + "\n"));
  ASSERT_TRUE(record.ok());
  EXPECT_TRUE(record->has("a", "d"));
}

TEST(Record, AFullDiskIsToldInsteadOfPassedOver) {
  auto record = Record::open("/dev/full");
  // Not a regular file: it cannot be read back, so it is refused at once.
  EXPECT_FALSE(record.ok());
}

}  // namespace
}  // namespace tallystick::cli
