// What a station does with one part, over a line in memory that is lost and damaged at every place.
#include <gmock/gmock.h>

#include <random>

#include "tests/tools/station/bench.h"

namespace tallystick::station {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Procedures : public Bench {
 protected:
  JobFile locking() {
    auto file = job_file();
    file.lock = true;
    file.challenge.emplace().fill(7);
    return file;
  }
  void expect_done_once(LineInMemory& line, const Ended& ended) {
    EXPECT_EQ(ended.verdict.result, Result::kProgrammed) << ended.verdict.why;
    EXPECT_EQ(line.target().packages, 1U);
    EXPECT_EQ(line.target().locks, 1U);
    ASSERT_TRUE(ended.delivery.has_value());
    EXPECT_EQ(ended.delivery->life_cycle, 3);
    EXPECT_FALSE(ended.delivery->proof.empty());
  }
};

TEST_F(Procedures, TakeAPartFromItsFirstAnswerToTheLock) {
  LineInMemory line(world_, ready());
  const auto ended = take_through(line, job(locking()));
  expect_done_once(line, ended);
  EXPECT_EQ(ended.retries, 0U);
  EXPECT_THAT(ended.passed, ElementsAre(Step::kIdentify, Step::kProve, Step::kShares,
                                        Step::kPackage, Step::kVerify, Step::kLock, Step::kFinal));
}

TEST_F(Procedures, LoadSoftwareWhereNoneRuns) {
  LineInMemory line(world_, without_software());
  const auto ended = take_through(line, job(locking()));
  expect_done_once(line, ended);
  EXPECT_EQ(ended.passed.at(1), Step::kSoftware);
  EXPECT_EQ(ended.delivery->software_version, 1U);
}

TEST_F(Procedures, ProveToTheOemWithHisChallenge) {
  LineInMemory line(world_, ready());
  const auto file = locking();
  const auto ended = take_through(line, job(file));
  ASSERT_TRUE(ended.delivery.has_value());
  const auto device = test::value(core::verify_device_certificate(
      world_.crypto(), ended.delivery->certificate, world_.icm_key().public_xy()));
  const auto proof = test::value(core::parse_proof(ended.delivery->proof));
  EXPECT_TRUE(
      core::check_proof_signature(world_.crypto(), *file.challenge, device.key, proof).ok());
}

TEST_F(Procedures, FindAPartDoneByItsOwnProofAndSendItNothing) {
  LineInMemory line(world_, ready());
  const auto file = job(locking());
  take_through(line, file);
  const auto offered = line.target().offered.size();
  const auto again = take_through(line, file);
  EXPECT_EQ(again.verdict.result, Result::kFound);
  EXPECT_EQ(line.target().offered.size(), offered);
  EXPECT_EQ(take_through(line, file, Place::kDone).verdict.result, Result::kKnown);
}

TEST_F(Procedures, LockAPartThatWasLeftUnlocked) {
  LineInMemory line(world_, ready());
  take_through(line, job(job_file()));
  std::filesystem::remove_all(scratch_ / "job");
  const auto ended = take_through(line, job(locking()));
  EXPECT_EQ(ended.verdict.result, Result::kFound) << ended.verdict.why;
  EXPECT_EQ(line.target().locks, 1U);
  EXPECT_EQ(line.target().packages, 1U);
}

// Each piece of what is said, in both directions, is lost once. Whatever it was, the part is done
// in the end, and once.
TEST_F(Procedures, LoseAnyOneFrameAndTheRestIsDoneOnce) {
  const auto file = job(locking());
  std::size_t pieces = 0;
  {
    LineInMemory line(world_, without_software());
    line.mangle = [&](bool, core::Bytes bytes) {
      ++pieces;
      return bytes;
    };
    expect_done_once(line, take_through(line, file));
  }
  ASSERT_GT(pieces, 50U);
  for (std::size_t lost = 0; lost < pieces; ++lost) {
    LineInMemory line(world_, without_software());
    std::size_t at = 0;
    line.mangle = [&](bool, core::Bytes bytes) {
      return at++ == lost ? core::Bytes() : std::move(bytes);
    };
    const auto ended = take_through(line, file);
    SCOPED_TRACE(lost);
    expect_done_once(line, ended);
  }
}

TEST_F(Procedures, ComeThroughNoiseInBothDirections) {
  const auto file = job(locking());
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    LineInMemory line(world_, without_software());
    std::mt19937 dice(seed);
    line.mangle = [&](bool, core::Bytes bytes) {
      if (dice() % 60 == 0)
        bytes[dice() % bytes.size()] ^= static_cast<std::uint8_t>(1 + dice() % 255);
      if (dice() % 200 == 0) bytes.insert(bytes.begin(), static_cast<std::uint8_t>(dice()));
      return bytes;
    };
    const auto ended = take_through(line, file);
    SCOPED_TRACE(seed);
    // A line this bad may be given up; the part is never done twice, and never half.
    EXPECT_LE(line.target().packages, 1U);
    EXPECT_LE(line.target().locks, 1U);
    if (ended.verdict.result == Result::kProgrammed) {
      expect_done_once(line, ended);
      continue;
    }
    EXPECT_EQ(ended.verdict.result, Result::kFailed) << ended.verdict.why;
    line.mangle = nullptr;
    const auto again = take_through(line, file);
    EXPECT_THAT(again.verdict.result, ::testing::AnyOf(Result::kProgrammed, Result::kFound));
    EXPECT_EQ(line.target().packages, 1U);
  }
}

TEST_F(Procedures, GiveADeadLineUp) {
  LineInMemory line(world_, ready());
  line.mangle = [](bool to_part, core::Bytes bytes) { return to_part ? core::Bytes() : bytes; };
  const auto ended = take_through(line, job(job_file()));
  EXPECT_EQ(ended.verdict.result, Result::kFailed);
  EXPECT_EQ(ended.verdict.step, Step::kReach);
  EXPECT_EQ(ended.verdict.made, Made::kNo);
}

TEST_F(Procedures, KnowWhatTheyDoNotKnowWhenTheAnswerToAPackageIsLost) {
  LineInMemory line(world_, ready());
  bool cut = false;
  line.mangle = [&](bool to_part, core::Bytes bytes) {
    cut = cut || (!to_part && line.target().packages > 0);
    return cut ? core::Bytes() : std::move(bytes);
  };
  const auto file = job(job_file());
  const auto ended = take_through(line, file);
  EXPECT_EQ(ended.verdict.result, Result::kFailed);
  EXPECT_EQ(ended.verdict.made, Made::kPerhaps);
  line.mangle = nullptr;
  EXPECT_EQ(take_through(line, file).verdict.result, Result::kFound);
  EXPECT_EQ(line.target().packages, 1U);
}

TEST_F(Procedures, SpendNothingWithoutAPlace) {
  LineInMemory line(world_, ready());
  const auto file = job(job_file());
  EXPECT_EQ(take_through(line, file, Place::kFull).verdict.result, Result::kWaits);
  EXPECT_EQ(take_through(line, file, Place::kElsewhere).verdict.result, Result::kSkipped);
  const auto blank = take_through(line, file, Place::kDone);
  EXPECT_EQ(blank.verdict.result, Result::kRefused) << "the record says it is done";
  EXPECT_TRUE(line.target().offered.empty());
}

TEST_F(Procedures, RefuseAPartOfAnotherChipMaker) {
  const World other;
  auto medium = test::new_medium();
  test::ready_part(other, "", medium);
  LineInMemory line(other, medium);
  const auto ended = take_through(line, job(job_file()));
  EXPECT_EQ(ended.verdict.result, Result::kRefused);
  EXPECT_THAT(ended.verdict.why, HasSubstr("another family"));
  EXPECT_TRUE(line.target().offered.empty());
}

TEST_F(Procedures, RefuseAPartWithoutPapers) {
  auto medium = test::new_medium();
  test::blank_part(world_, "", medium);
  LineInMemory line(world_, medium);
  EXPECT_EQ(take_through(line, job(job_file())).verdict.result, Result::kRefused);
  EXPECT_TRUE(line.target().offered.empty());
}

TEST_F(Procedures, S20_RefuseAPartOfAnotherProduct) {
  plan_.product = "meter";
  LineInMemory line(world_, ready("clock"));
  const auto ended = take_through(line, job(job_file()));
  EXPECT_EQ(ended.verdict.result, Result::kRefused);
  EXPECT_THAT(ended.verdict.why, HasSubstr("clock"));
  EXPECT_TRUE(line.target().offered.empty());
  auto file = job_file();
  file.product = "meter";
  std::filesystem::remove_all(scratch_ / "job");
  LineInMemory nameless(world_, ready());
  EXPECT_EQ(take_through(nameless, job(file)).verdict.result, Result::kRefused);
}

TEST_F(Procedures, D04_SkipAPartThatHoldsSomethingElse) {
  auto medium = ready();
  {
    auto part = test::reopened(world_, medium);
    const OemDesk other(world_);
    test::done(test::program(*part, other.share_blob(), other.package(plan_)));
  }
  LineInMemory line(world_, medium);
  const auto ended = take_through(line, job(job_file()));
  EXPECT_EQ(ended.verdict.result, Result::kSkipped);
  EXPECT_THAT(ended.verdict.why, HasSubstr("another package"));
  EXPECT_TRUE(line.target().offered.empty());
}

TEST_F(Procedures, UpdateAPartWhereTheJobSaysSo) {
  LineInMemory line(world_, ready());
  EXPECT_EQ(take_through(line, job(job_file())).verdict.result, Result::kProgrammed);
  std::filesystem::remove_all(scratch_ / "job");
  plan_ = test::small_plan(2, 5);
  auto file = job_file();
  file.life_cycles = {2};
  EXPECT_EQ(take_through(line, job(file)).verdict.result, Result::kProgrammed);
  EXPECT_EQ(line.target().packages, 2U);
}

TEST_F(Procedures, TellWhatAPartSaidNoTo) {
  auto medium = ready();
  // The part's minimum is above what the job brings.
  test::done(test::program(*test::reopened(world_, medium), oem_.share_blob(),
                           oem_.package(test::small_plan(9, 5))));
  LineInMemory line(world_, medium);
  auto file = job_file();
  file.life_cycles = {0, 1, 2};
  const auto ended = take_through(line, job(file));
  EXPECT_EQ(ended.verdict.result, Result::kRefused);
  EXPECT_EQ(ended.verdict.step, Step::kPackage);
  EXPECT_THAT(ended.verdict.why, HasSubstr("10115"));
  EXPECT_THAT(ended.verdict.why, HasSubstr("newer"));
  EXPECT_EQ(line.target().offered.size(), 2U) << "a refused file is not sent again";
}

TEST_F(Procedures, D13_LetNothingSecretOverTheLine) {
  LineInMemory line(world_, without_software());
  take_through(line, job(locking()));
  const auto on_line = [&](core::ByteView bytes) {
    return std::ranges::search(line.heard, bytes).begin() != line.heard.end();
  };
  for (const auto& asset : plan_.assets) {
    EXPECT_FALSE(on_line(core::ByteView(asset.content).first(12))) << asset.entry.name;
  }
  EXPECT_FALSE(on_line(oem_.share().oem_share.view()));
  EXPECT_TRUE(on_line(core::bytes_of("TSPK"))) << "the search would find it";
}

class CountedProcedures : public Bench {
 protected:
  CountedProcedures() : Bench(core::kFamilyCounted) {}
  core::DeviceId id_in(const std::shared_ptr<test::Medium>& medium) {
    return test::reopened(world_, medium)->id();
  }
  std::string blob_for(const std::shared_ptr<test::Medium>& medium, std::uint64_t number) {
    const auto part = test::reopened(world_, medium);
    std::filesystem::create_directory(scratch_ / "blobs");
    return scratch_.file("blobs/" + core::to_hex(part->id()) + ".tsop",
                         core::text_of(oem_.device_blob(part->public_key(), number)));
  }
  std::shared_ptr<const Job> counted_job() {
    auto from = sources();
    from.shares = scratch_ / "blobs";
    auto made = make(job_file(), from);
    EXPECT_TRUE(made.ok()) << cli::line_of(made.error());
    return made.ok() ? *made : nullptr;
  }
};

TEST_F(CountedProcedures, GiveEachPartItsOwnBlob) {
  auto first = ready();
  auto second = ready();
  blob_for(first, 1);
  blob_for(second, 2);
  const auto file = counted_job();
  for (const auto& [medium, number] : {std::pair{first, 1U}, {second, 2U}}) {
    LineInMemory line(world_, medium);
    const auto ended = take_through(line, file);
    EXPECT_EQ(ended.verdict.result, Result::kProgrammed) << ended.verdict.why;
    ASSERT_TRUE(ended.delivery.has_value());
    EXPECT_EQ(ended.delivery->number, number);
  }
}

TEST_F(CountedProcedures, D08_SendNoBlobToAPartItIsNotFor) {
  auto mine = ready();
  auto other = ready();
  const auto path = blob_for(mine, 1);
  const auto file = counted_job();
  {
    LineInMemory line(world_, other);
    const auto ended = take_through(line, file);
    EXPECT_EQ(ended.verdict.result, Result::kRefused);
    EXPECT_THAT(ended.verdict.why, HasSubstr("no share blob"));
    EXPECT_TRUE(line.target().offered.empty());
  }
  // Exchanged behind the station's back.
  const auto swapped = oem_.device_blob(test::reopened(world_, other)->public_key(), 2);
  test::write_file(scratch_ / ("job/shares/" + core::to_hex(id_in(mine)) + ".tsop"), swapped);
  LineInMemory line(world_, mine);
  const auto ended = take_through(line, file);
  EXPECT_EQ(ended.verdict.result, Result::kRefused);
  EXPECT_EQ(ended.verdict.step, Step::kShares);
  EXPECT_TRUE(line.target().offered.empty());
}

}  // namespace
}  // namespace tallystick::station
