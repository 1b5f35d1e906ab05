// What a job has to be before a line starts, and its record.
#include <gmock/gmock.h>

#include <fstream>

#include "tests/tools/station/bench.h"
#include "tools/station/ledger.h"
#include "tools/station/port.h"

namespace tallystick::station {
namespace {

using ::testing::HasSubstr;

class Jobs : public Bench {
 protected:
  std::string in_job(const std::string& name) { return scratch_ / ("job/" + name); }
  Outcome<std::shared_ptr<const Job>> open() {
    return open_job(world_.crypto_ptr(), scratch_ / "job");
  }
  std::string why() {
    const auto opened = open();
    return opened ? "" : cli::line_of(opened.error());
  }
  void flip(const std::string& name, std::size_t at) {
    auto bytes = test::read_file(in_job(name));
    bytes.at(at) ^= 1U;
    test::write_file(in_job(name), bytes);
  }
  void replace(const std::string& from, const std::string& to) {
    auto text = cli::contents_of(in_job(kJobFile));
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from << text;
    text.replace(at, from.size(), to);
    test::write_file(in_job(kJobFile), core::bytes_of(text));
  }
};

TEST_F(Jobs, ReadBackAsTheyWereMade) {
  auto file = job_file();
  file.name = "lot \"12\"";
  file.parts = 100;
  file.lock = true;
  file.challenge.emplace().fill(9);
  file.life_cycles = {1, 2};
  plan_.product = "meter";
  file.product = "meter";
  job(file);
  const auto opened = test::value(open().ok() ? core::Result<JobFile>((*open())->file)
                                              : core::Result<JobFile>(core::Error{}));
  EXPECT_EQ(opened.name, file.name);
  EXPECT_EQ(opened.parts, 100U);
  EXPECT_TRUE(opened.lock);
  EXPECT_EQ(opened.challenge, file.challenge);
  EXPECT_EQ(opened.life_cycles, file.life_cycles);
  EXPECT_EQ(opened.product, "meter");
  EXPECT_EQ(opened.software, "software.tssw");
}

TEST_F(Jobs, AreFoundChangedWhereverTheyWere) {
  job(job_file());
  const std::vector<std::pair<std::string, std::size_t>> places = {
      {"icm.cer", 100},      {"package.tspk", 20},   {"package.tspk", 300}, {"package.tspk", 9000},
      {"software.tssw", 10}, {"software.tssw", 230}, {"shares.tsos", 60}};
  for (const auto& [name, at] : places) {
    flip(name, at);
    EXPECT_THAT(why(), HasSubstr(name)) << at;
    flip(name, at);
  }
  EXPECT_EQ(why(), "");
  // The last byte of the last asset, without any secret.
  flip("package.tspk", test::read_file(in_job("package.tspk")).size() - 1);
  EXPECT_THAT(why(), HasSubstr("is not as it was sealed"));
}

TEST_F(Jobs, P05_NameNoFileOutsideTheirFolder) {
  job(job_file());
  const auto text = cli::contents_of(in_job(kJobFile));
  scratch_.file("outside.tspk", cli::contents_of(in_job("package.tspk")));
  for (const std::string bad : {"../outside.tspk", "/etc/passwd", ".", "..", "", "a/b", ".hidden",
                                "shares/../package.tspk"}) {
    replace("'package.tspk'", "'" + bad + "'");
    EXPECT_THAT(why(), HasSubstr("package")) << bad;
    test::write_file(in_job(kJobFile), core::bytes_of(text));
  }
  // Nor is one written outside.
  std::filesystem::create_directory(scratch_ / "elsewhere");
  std::filesystem::create_directory_symlink(scratch_ / "elsewhere", in_job(kProofFolder));
  EXPECT_THAT(why(), HasSubstr("link"));
  std::filesystem::remove(in_job(kProofFolder));
  EXPECT_EQ(why(), "");
  std::filesystem::remove(in_job("package.tspk"));
  std::filesystem::create_symlink(scratch_ / "outside.tspk", in_job("package.tspk"));
  EXPECT_THAT(why(), HasSubstr("link"));
}

TEST_F(Jobs, P03_RefuseUnknownAndWrongFields) {
  job(job_file());
  const auto text = cli::contents_of(in_job(kJobFile));
  for (const std::string more : {"locks = true\n", "parts = -1\n", "parts = \"7\"\n",
                                 "challenge = \"12\"\n", "software = \"../x\"\n"}) {
    test::write_file(in_job(kJobFile), core::bytes_of(more + text));
    EXPECT_NE(why(), "") << more;
  }
  test::write_file(in_job(kJobFile), core::bytes_of(text));
  replace("'provisioning'", "'locked'");
  EXPECT_THAT(why(), HasSubstr("life_cycle"));
}

TEST_F(Jobs, TakeFilesOfOneShareSetOnly) {
  auto from = sources();
  const OemDesk other(world_);
  scratch_.file("in.tsos", core::text_of(other.share_blob()));
  const auto mixed = make(job_file(), from);
  ASSERT_FALSE(mixed.ok());
  EXPECT_THAT(mixed.error().why, HasSubstr("another share set"));
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "job")) << "whole or not at all";
  scratch_.file("in.tsos", core::text_of(oem_.master_blob()));
  const auto master = make(job_file(), from);
  ASSERT_FALSE(master.ok());
  EXPECT_THAT(master.error().why, HasSubstr("the OEM's own blob"));
  for (const auto& entry : std::filesystem::directory_iterator(scratch_.path())) {
    EXPECT_THAT(entry.path().filename().string(), ::testing::StartsWith("in."))
        << "nothing is left";
  }
}

TEST_F(Jobs, WantTheFingerprintThatCameByAnotherWay) {
  job(job_file());
  core::ByteArray<32> other{};
  const auto opened = open_job(world_.crypto_ptr(), scratch_ / "job", other);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().exit, cli::Exit::kRefused);
  EXPECT_TRUE(open_job(world_.crypto_ptr(), scratch_ / "job", world_.fingerprint()).ok());
}

TEST_F(Jobs, WantSoftwareThatCanDoTheJob) {
  auto from = sources();
  auto file = job_file();
  file.lock = true;
  for (const auto operation :
       {core::Operation::kInstall, core::Operation::kProve, core::Operation::kOpenAssets,
        core::Operation::kTakeBlobs, core::Operation::kMoveLifeCycle}) {
    scratch_.file("in.tssw", core::text_of(world_.software(1, test::kForAll,
                                                           test::all_permissions_but(operation))));
    EXPECT_FALSE(make(file, from).ok()) << static_cast<int>(operation);
  }
  scratch_.file("in.tssw", core::text_of(world_.software(1, test::kForProvisioning)));
  EXPECT_FALSE(make(file, from).ok()) << "not for parts";
}

class CountedJobs : public Jobs {
 protected:
  CountedJobs() = default;
  void SetUp() override {
    std::filesystem::create_directory(scratch_ / "blobs");
    from_ = sources();
    from_.shares = scratch_ / "blobs";
  }
  std::string add(std::uint64_t number) {
    auto key = test::value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP256));
    const auto id = test::value(core::key_id(world_.crypto(), key.public_xy()));
    const auto path = "blobs/" + core::to_hex(id) + ".tsop";
    return scratch_.file(path, core::text_of(oem_.device_blob(key.public_xy(), number)));
  }
  JobSources from_;
};

TEST_F(CountedJobs, HaveABlobForEachOfTheirParts) {
  add(1);
  add(2);
  auto file = job_file();
  file.parts = 3;
  EXPECT_THAT(cli::line_of(make(file, from_).error()), HasSubstr("blobs for 2"));
  file.parts = 2;
  EXPECT_TRUE(make(file, from_).ok());
}

TEST_F(CountedJobs, SpendNoNumberTwice) {
  add(1);
  add(1);
  const auto made = make(job_file(), from_);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().why, HasSubstr("has the number of"));
}

TEST_F(CountedJobs, D08_WantBlobsUnderTheirRecipientsNames) {
  const auto path = add(1);
  std::filesystem::rename(path, scratch_ / ("blobs/" + std::string(64, 'a') + ".tsop"));
  EXPECT_THAT(cli::line_of(make(job_file(), from_).error()), HasSubstr("another part"));
}

TEST_F(CountedJobs, WantBlobsThatWereGranted) {
  const auto path = add(1);
  for (const std::size_t at : {130U, 400U, 480U, 700U}) {
    auto bytes = test::read_file(path);
    bytes[at] ^= 1U;
    test::write_file(path, bytes);
    EXPECT_FALSE(make(job_file(), from_).ok()) << at;
    bytes[at] ^= 1U;
    test::write_file(path, bytes);
  }
  EXPECT_TRUE(make(job_file(), from_).ok());
}

core::DeviceId part(std::uint8_t number) {
  core::DeviceId id{};
  id.fill(number);
  return id;
}

class Ledgers : public Jobs {
 protected:
  void SetUp() override { job_ = job(job_file()); }
  static std::string event(const std::string& name, const core::DeviceId& id,
                           const std::string& made = "") {
    Json line{{"event", name}, {"part_id", core::to_hex(id)}};
    if (!made.empty()) line["made"] = made;
    return line_of(line);
  }
  std::shared_ptr<const Job> job_;
};

TEST_F(Ledgers, TellTheCountWhatIsDoneAndWhatNobodyKnows) {
  {
    Count count(0);
    auto ledger = Ledger::open(*job_, count);
    ASSERT_TRUE(ledger.ok());
    ASSERT_TRUE(
        ledger
            ->append({event("begin", part(1)), event("done", part(1)), event("begin", part(2)),
                      event("begin", part(3)), event("failed", part(3), "no"),
                      event("begin", part(4)), event("failed", part(4), "perhaps"),
                      event("begin", part(5)), event("released", part(5))},
                     true)
            .ok());
  }
  Count count(4);
  ASSERT_TRUE(Ledger::look(*job_, count).ok());
  EXPECT_EQ(count.done_count(), 1U);
  EXPECT_EQ(count.unresolved(), (std::set{part(2), part(4)}));
  // Two places are held for them, one part is done: one place is left.
  EXPECT_EQ(count.take(part(9), "a"), Place::kTaken);
  EXPECT_EQ(count.take(part(8), "b"), Place::kFull);
  EXPECT_EQ(count.take(part(9), "b"), Place::kElsewhere);
  EXPECT_EQ(count.take(part(2), "b"), Place::kTaken) << "it has its place";
  EXPECT_EQ(count.take(part(1), "c"), Place::kDone);
  count.left(part(9), "c", Made::kNo);
  EXPECT_EQ(count.take(part(8), "b"), Place::kFull) << "another port's word does not free it";
  count.left(part(9), "a", Made::kNo);
  EXPECT_EQ(count.take(part(8), "b"), Place::kTaken);
  count.left(part(8), "b", Made::kPerhaps);
  EXPECT_EQ(count.take(part(7), "b"), Place::kFull) << "it may have been made";
}

TEST_F(Ledgers, PassALineOverThatAPowerCutLeft) {
  {
    std::ofstream out(in_job(kRecordFile));
    out << event("begin", part(1)) << event("done", part(1))
        << event("done", part(2)).substr(0, 40);
  }
  Count count(0);
  {
    auto ledger = Ledger::open(*job_, count);
    ASSERT_TRUE(ledger.ok());
    ASSERT_TRUE(ledger->append({event("done", part(3))}, true).ok());
  }
  EXPECT_EQ(count.done_count(), 1U);
  Count again(0);
  ASSERT_TRUE(Ledger::look(*job_, again).ok());
  EXPECT_EQ(again.done_count(), 2U) << "what follows stands on a line of its own";
}

TEST_F(Ledgers, BelongToOneStationAndOnePackage) {
  Count count(0);
  {
    auto ledger = Ledger::open(*job_, count);
    ASSERT_TRUE(ledger.ok());
    const auto second = Ledger::open(*job_, count);
    ASSERT_FALSE(second.ok());
    EXPECT_THAT(second.error().why, HasSubstr("another station"));
    ASSERT_TRUE(ledger->append({line_of({{"event", "run"}, {"package_digest", "00"}})}, true).ok());
  }
  const auto other = Ledger::open(*job_, count);
  ASSERT_FALSE(other.ok());
  EXPECT_THAT(other.error().why, HasSubstr("another package"));
}

TEST(Ports, AreNotOnTheNetwork) {
  for (const std::string bad :
       {"tcp:192.168.1.1:4000", "tcp:0.0.0.0:4000", "tcp:example.org:4000", "tcp:127.0.0.1",
        "tcp:127.0.0.1:0", "tcp:127.0.0.1:65536", "tcp:127.0.0.1:40x", ""}) {
    EXPECT_FALSE(PortFinder::create({bad}).ok()) << bad;
  }
  EXPECT_TRUE(PortFinder::create({"tcp:127.0.0.1:4000", "tcp:localhost:1"}).ok());
}

TEST(Ports, ThatAreNoLinesAreRefused) {
  const cli::Scratch scratch;
  EXPECT_FALSE(Port::open(scratch.file("file", "no line"), 115200).ok());
  EXPECT_FALSE(Port::open("/dev/null", 115200).ok());
  EXPECT_FALSE(Port::open(scratch / "nothing", 115200).ok());
}

}  // namespace
}  // namespace tallystick::station
