#include "tools/cli/programming/station.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "tests/support/oem_desk.h"
#include "tests/tools/support.h"

namespace tallystick::cli {
namespace {

using ::testing::HasSubstr;

std::string text_of(const core::Bytes& bytes) { return std::string(core::text_of(bytes)); }

class StationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(scratch_ / "parts");
    scratch_.file("shares.tsos", text_of(desk_.share_blob()));
    scratch_.file("package.tspk", text_of(desk_.package(test::small_plan())));
    scratch_.file("icm.cer", text_of(world_.icm_certificate()));
  }

  void make_parts(int count) {
    for (int i = 0; i < count; ++i) make_part(part(i));
  }
  std::string part(int number) { return scratch_ / ("parts/p" + std::to_string(number) + ".part"); }
  void make_part(const std::string& path) {
    device::Manufacture manufacture;
    manufacture.icm_fingerprint = world_.fingerprint();
    manufacture.memory = {0, 64UL * 1024};
    auto made = device::Part::create(world_.crypto_ptr(), path, manufacture);
    ASSERT_TRUE(made.ok()) << made.error().message;
    device::Part& part = **made;
    const auto blob = world_.family_blob(core::FamilyRole::kPart, part.public_key());
    ASSERT_TRUE(part.fill_immutable_memory(blob).ok());
    ASSERT_TRUE(
        part.store_certificate(world_.certificate(core::DeviceKind::kPart, part.public_key()))
            .ok());
    ASSERT_TRUE(part.load_software(world_.software()).ok());
  }

  Ran program(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"--json",    "program",
                                          "--parts",   scratch_ / "parts",
                                          "--shares",  scratch_ / "shares.tsos",
                                          "--package", scratch_ / "package.tspk",
                                          "--record",  scratch_ / "record.jsonl"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tallystick(arguments);
  }
  std::vector<nlohmann::json> record() {
    std::vector<nlohmann::json> lines;
    std::istringstream in(contents_of(scratch_ / "record.jsonl"));
    for (std::string line; std::getline(in, line);) {
      lines.push_back(nlohmann::json::parse(line, nullptr, false));
      EXPECT_TRUE(lines.back().is_object()) << line;
    }
    return lines;
  }
  static nlohmann::json json(const Ran& ran) { return nlohmann::json::parse(ran.out); }

  Scratch scratch_;
  test::World world_;
  test::OemDesk desk_{world_};
};

TEST_F(StationTest, ProgramsAllPartsWithEightThreadsAndRecordsEach) {
  make_parts(16);
  const Ran ran = program({"-j", "8"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(json(ran)["programmed"], 16);
  EXPECT_EQ(json(ran)["yield_percent"], 100.0);
  const auto lines = record();
  ASSERT_EQ(lines.size(), 16U);
  for (const auto& line : lines) EXPECT_EQ(line["result"], "ok");
}

// What a package calls its assets is shown and never a place to write to.
TEST_F(StationTest, P05_NamesInAPackageLeadToNoFile) {
  const std::filesystem::path outside = scratch_ / "outside";
  std::filesystem::create_directory(outside);
  auto plan = test::small_plan();
  plan.product = "../outside/product";
  plan.assets[0].entry.name = "../../outside/firmware";
  plan.assets[1].entry.name = (outside / "a").string().substr(0, 32);
  plan.assets[2].entry.name = "..";
  scratch_.file("package.tspk", text_of(desk_.package(plan)));
  make_parts(2);
  const auto files = [&] {
    std::vector<std::string> all;
    for (const auto& one : std::filesystem::recursive_directory_iterator(scratch_ / "")) {
      all.push_back(one.path());
    }
    std::ranges::sort(all);
    return all;
  };
  scratch_.file("record.jsonl", "");
  const auto before = files();
  ASSERT_EQ(program().status, 0);
  EXPECT_EQ(files(), before);
  ASSERT_EQ(tallystick({"inspect", scratch_ / "package.tspk"}).status, 0);
  EXPECT_EQ(files(), before);
}

TEST_F(StationTest, APartThatHoldsThePackageIsNotProgrammedAgain) {
  make_parts(3);
  ASSERT_EQ(program().status, 0);
  make_part(scratch_ / "parts/new.part");
  const Ran again = program();
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(json(again)["programmed"], 1);
  EXPECT_EQ(json(again)["already_done"], 3);
  EXPECT_EQ(record().size(), 4U) << "one line a part";
}

TEST_F(StationTest, WithoutItsRecordItStillKnowsWhatAPartHolds) {
  make_parts(2);
  ASSERT_EQ(program().status, 0);
  std::filesystem::remove(scratch_ / "record.jsonl");
  const Ran again = program();
  EXPECT_EQ(json(again)["programmed"], 0);
  EXPECT_EQ(json(again)["already_done"], 2);
  EXPECT_EQ(record().size(), 2U);
}

TEST_F(StationTest, AnInterruptionLeavesWholePartsAndTheRunGoesOn) {
  make_parts(4);
  {
    // Held back like a Ctrl-C that arrives between two parts.
    const Interrupt interrupt;
    ::kill(::getpid(), SIGINT);
    EXPECT_TRUE(interrupt.requested());
    const Ran stopped = program();
    EXPECT_EQ(stopped.status, 5);
    EXPECT_THAT(stopped.err, HasSubstr("run it again to go on"));
    EXPECT_EQ(json(stopped)["programmed"], 0);
  }
  const Ran again = program();
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(json(again)["programmed"], 4);
}

TEST_F(StationTest, ProofsOfLockedPartsVerify) {
  make_parts(2);
  const std::string challenge(64, 'c');
  const Ran ran = program({"--prove", scratch_ / "proofs", "--challenge", challenge, "--lock"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  std::vector<std::string> verify = {
      "proof",        "verify", scratch_ / "proofs", "--icm-certificate", scratch_ / "icm.cer",
      "--life-cycle", "locked", "--challenge"};
  auto right = verify;
  right.push_back(challenge);
  EXPECT_EQ(tallystick(right).status, 0);
  auto wrong = verify;
  wrong.push_back(std::string(64, 'd'));
  EXPECT_EQ(tallystick(wrong).status, 2) << "a proof is for one challenge";
}

TEST_F(StationTest, OnePartThatRefusesDoesNotStopTheOthers) {
  make_parts(3);
  // A part of another family.
  const test::World other;
  device::Manufacture manufacture;
  manufacture.icm_fingerprint = other.fingerprint();
  manufacture.memory = {0, 64UL * 1024};
  {
    auto foreign =
        device::Part::create(other.crypto_ptr(), scratch_ / "parts/a-foreign.part", manufacture);
    ASSERT_TRUE(foreign.ok());
  }
  scratch_.file("parts/b-damaged.part", std::string(70000, '\1'));
  const Ran ran = program();
  EXPECT_EQ(ran.status, 5) << ran.err;
  EXPECT_EQ(json(ran)["programmed"], 3);
  EXPECT_EQ(json(ran)["failed"], 2);
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 2) << ran.err;
}

TEST_F(StationTest, WhenEveryPartRefusesTheRunIsRefused) {
  make_parts(2);
  auto package = contents_of(scratch_ / "package.tspk");
  package[40] = static_cast<char>(package[40] ^ 1);
  scratch_.file("package.tspk", package);
  const Ran ran = program();
  EXPECT_EQ(ran.status, 2) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("at check"));
  for (const auto& line : record()) EXPECT_EQ(line["result"], "refused");
}

TEST_F(StationTest, D01_KeysAndWriteOnlyDataDoNotComeBack) {
  make_parts(1);
  ASSERT_EQ(program().status, 0);
  const Ran info = tallystick({"part", "info", part(0), "--json"});
  ASSERT_EQ(info.status, 0) << info.err;
  std::size_t refused = 0;
  std::size_t read = 0;
  const auto document = json(info);
  for (const auto& asset : document["assets"]) {
    const auto flags = asset["flags"].dump();
    const auto kind = asset["kind"].get<std::string>();
    const bool secret =
        kind == "key" || kind == "private-key" || flags.find("write-only") != std::string::npos;
    const Ran ran = tallystick(
        {"part", "read", part(0), "--slot", asset["slot"].dump(), "-o", scratch_ / "back"});
    EXPECT_EQ(ran.status, secret ? 2 : 0) << asset << ran.err;
    ++(secret ? refused : read);
  }
  EXPECT_GE(refused, 3U);
  EXPECT_GE(read, 2U);
}

TEST_F(StationTest, AFileThatCannotBeAppendedToStopsTheRun) {
  make_parts(2);
  const Ran ran = tallystick({"program", "--parts", scratch_ / "parts", "--shares",
                              scratch_ / "shares.tsos", "--package", scratch_ / "package.tspk",
                              "--record", scratch_ / "nowhere/record.jsonl"});
  EXPECT_EQ(ran.status, 4);
  EXPECT_THAT(ran.err, HasSubstr("nowhere"));
}

}  // namespace
}  // namespace tallystick::cli
