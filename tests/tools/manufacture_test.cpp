// `icm manufacture-parts`: two runs in one directory make parts that do not touch each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "tests/tools/factory.h"
#include "tools/cli/file_io.h"

namespace tallystick::cli {
namespace {

using ::testing::HasSubstr;

class Manufacture : public Factory {
 protected:
  std::vector<std::string> parts() {
    const auto files = files_in(scratch_ / "parts", ".part");
    return files ? *files : std::vector<std::string>{};
  }
  std::size_t entries() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator(scratch_ / "parts")) {
      ++count;
    }
    return count;
  }
  // The line "parts: N" of a run.
  static std::size_t made(const std::string& out) {
    const std::size_t at = out.find("parts: ");
    return at == std::string::npos ? 0 : std::stoul(out.substr(at + 7));
  }
};

TEST_F(Manufacture, PartsOfTwoRunsAtOnceAreAllThereAndWhole) {
  const pid_t other = ::fork();
  if (other == 0) {
    const Ran ran = manufacture("12", "parts");
    scratch_.file("other.out", ran.out);
    ::_exit(ran.status);
  }
  ASSERT_GT(other, 0);
  const Ran ran = manufacture("12", "parts");
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  ASSERT_TRUE(WIFEXITED(status));
  for (const int exit : {ran.status, WEXITSTATUS(status)}) {
    EXPECT_TRUE(exit == 0 || exit == 4 || exit == 5) << exit << ran.err;
  }
  EXPECT_EQ(parts().size(), made(ran.out) + made(contents_of(scratch_ / "other.out")))
      << "every part that was counted stands there";
  EXPECT_EQ(entries(), parts().size()) << "and nothing else";
  std::set<std::string> ids;
  for (const std::string& part : parts()) {
    const auto info = json({"part", "info", part});
    EXPECT_EQ(info["certified"], true) << part;
    EXPECT_TRUE(ids.insert(info["part_id"].get<std::string>()).second) << part;
  }
}

TEST_F(Manufacture, PassesOverNumbersInUse) {
  std::filesystem::create_directory(scratch_ / "parts");
  scratch_.file("parts/part-0002.part", "something else");
  const Ran ran = manufacture("2", "parts");
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(contents_of(scratch_ / "parts/part-0002.part"), "something else");
  EXPECT_TRUE(exists(scratch_ / "parts/part-0003.part"));
}

TEST_F(Manufacture, MakesPartsWhoseKeyAPufRegenerates) {
  const Ran ran = manufacture("3", "parts", "puf");
  ASSERT_EQ(ran.status, 0) << ran.err;
  ASSERT_EQ(parts().size(), 3U);
  for (const std::string& part : parts()) {
    const auto info = json({"part", "info", part});
    EXPECT_EQ(info["device_key"], "puf");
    EXPECT_EQ(info["certified"], true);
    EXPECT_EQ(info["software"]["version"], 1);
    EXPECT_EQ(json({"part", "info", part})["part_id"], info["part_id"]);
  }
  ASSERT_EQ(manufacture("1", "stored").status, 0);
  EXPECT_EQ(json({"part", "info", scratch_ / "stored/part-0001.part"})["device_key"], "stored");
}

}  // namespace
}  // namespace tallystick::cli
