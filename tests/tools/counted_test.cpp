// `oem grant` and `oem share-for-device`: who counts is told where to go on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/factory.h"
#include "tools/cli/file_io.h"

namespace tallystick::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Counted : public Factory {
 protected:
  Counted() : Factory("counted") {}
  void SetUp() override {
    Factory::SetUp();
    make_shares("shares");
    const Ran made = manufacture("3", "parts");
    ASSERT_EQ(made.status, 0) << made.err;
  }
  Ran grant(const std::string& limit) {
    return tallystick({"oem", "grant", "--shares", scratch_ / "shares/shares.json", "--limit",
                       limit, "--minter", "pkcs11:token=oem", "--oem-key", oem_key(), "-o",
                       scratch_ / "grant.json"});
  }
  Ran mint(const std::vector<std::string>& recipients, const std::string& first = "1") {
    std::vector<std::string> arguments = {
        "oem",     "share-for-device",      "--token",        "pkcs11:token=oem",
        "--grant", scratch_ / "grant.json", "--json",         "--shares",
        "-o",      scratch_ / "blobs",      "--first-number", first};
    arguments.insert(arguments.begin() + 8, scratch_ / "shares/shares.json");
    arguments.insert(arguments.end(), recipients.begin(), recipients.end());
    return tallystick(arguments);
  }
  std::string part(int number) {
    return scratch_ / ("parts/part-000" + std::to_string(number) + ".part");
  }
  std::size_t blobs() {
    const auto files = files_in(scratch_ / "blobs", ".tsop");
    return files ? files->size() : 0;
  }
};

TEST_F(Counted, AGrantIsForOnePartAtLeast) {
  for (const char* limit : {"0", "-1", "many"}) {
    const Ran ran = grant(limit);
    EXPECT_EQ(ran.status, 1) << limit << ran.err;
    EXPECT_FALSE(exists(scratch_ / "grant.json"));
  }
  EXPECT_THAT(grant("0").err, HasSubstr("one part at least"));
  EXPECT_EQ(grant("1").status, 0);
}

TEST_F(Counted, NumbersAboveTheLimitAreToldBeforeAnyIsSpent) {
  ASSERT_EQ(grant("2").status, 0);
  const Ran three = mint({part(1), part(2), part(3)});
  EXPECT_EQ(three.status, 2) << three.err;
  EXPECT_THAT(three.err, HasSubstr("it is for 2 parts; from number 1 on 2 are left, not 3"));
  EXPECT_THAT(three.err, Not(HasSubstr("parameter")));
  EXPECT_EQ(blobs(), 0U);
  const Ran third = mint({part(3)}, "3");
  EXPECT_EQ(third.status, 2);
  EXPECT_THAT(third.err, HasSubstr("from number 3 on 0 are left, not 1"));
  EXPECT_EQ(mint({part(1)}, "0").status, 1);
  const Ran two = mint({part(1), part(2)});
  EXPECT_EQ(two.status, 0) << two.err;
  EXPECT_EQ(nlohmann::json::parse(two.out)["next_number"], 3);
}

TEST_F(Counted, AFailureInTheMiddleTellsTheNextNumber) {
  ASSERT_EQ(grant("10").status, 0);
  const std::string broken = scratch_.file("broken.cer", "not a certificate");
  const Ran first = mint({broken, part(1)}, "4");
  EXPECT_NE(first.status, 0);
  EXPECT_NE(first.status, 5) << "nothing is done yet";
  EXPECT_THAT(first.err,
              HasSubstr("0 blobs are written; go on from " + broken + " with --first-number 4"));
  const Ran second = mint({part(1), part(2), broken, part(3)}, "4");
  EXPECT_EQ(second.status, 5) << second.err;
  EXPECT_THAT(second.err, HasSubstr("with --first-number 6"));
  const auto told = nlohmann::json::parse(second.out);
  EXPECT_EQ(told["blobs"], 2);
  EXPECT_EQ(told["next_number"], 6);
  EXPECT_EQ(blobs(), 2U);
  const Ran rest = mint({part(3)}, "6");
  EXPECT_EQ(rest.status, 0) << rest.err;
  EXPECT_EQ(blobs(), 3U);
}

TEST_F(Counted, ANumberWhoseBlobCouldNotBeWrittenIsNotGivenAgain) {
  ASSERT_EQ(grant("10").status, 0);
  const auto id = json({"part", "info", part(2)})["part_id"].get<std::string>();
  std::filesystem::create_directories(scratch_ / ("blobs/" + id + ".tsop"));
  const Ran ran = mint({part(1), part(2), part(3)});
  EXPECT_EQ(ran.status, 5) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("go on from " + part(2) + " with --first-number 3"));
}

}  // namespace
}  // namespace tallystick::cli
