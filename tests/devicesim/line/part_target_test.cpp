// What each command of mboot does to a part, and what a part refuses in which state.
#include "devicesim/line/part_target.h"

#include <gtest/gtest.h>

#include "devicesim/mboot/little_endian.h"
#include "devicesim/mboot/resource.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::Bytes;
using core::ByteView;
using device::PartTarget;
using mboot::Reply;
using mboot::StatusCode;
using mboot::Tag;
using Words = std::vector<std::uint32_t>;

constexpr std::uint32_t kRam = device::Ram::kStart;

class Targets : public ::testing::Test {
 protected:
  PartTarget target_for(std::shared_ptr<Medium> medium) {
    return PartTarget(
        [this, medium] {
          ++power_ons_;
          return device::Part::open_in(world_.crypto_ptr(),
                                       std::make_unique<MediumStorage>(medium));
        },
        [this](const std::string& line) { log_.push_back(line); });
  }
  // A part with certificate and software; its file is at rest.
  std::shared_ptr<Medium> ready_medium() {
    auto medium = new_medium();
    ready_part(world_, "", medium);
    return medium;
  }
  std::shared_ptr<Medium> blank_medium() {
    auto medium = new_medium();
    blank_part(world_, "", medium);
    return medium;
  }

  // The words of the response, the status first.
  Words ask(Tag tag, const Words& parameters = {}) {
    const auto reply = target_.execute({tag, 0, parameters});
    EXPECT_EQ(reply.data, Reply::Data::kNone);
    return reply.packet.parameters;
  }
  StatusCode status(Tag tag, const Words& parameters = {}) {
    return static_cast<StatusCode>(ask(tag, parameters).front());
  }
  Words property(std::uint32_t id, std::uint32_t index = 0) {
    return ask(Tag::kGetProperty, {id, index});
  }
  // A command with data from the host, in pieces; the first status that is no success, or the last.
  StatusCode send(Tag tag, const Words& parameters, ByteView data, std::size_t piece = 1000) {
    const auto reply = target_.execute({tag, mboot::kDataPhaseFollows, parameters});
    const auto first = static_cast<StatusCode>(reply.packet.parameters.front());
    EXPECT_EQ(reply.data == Reply::Data::kFromHost, first == StatusCode::kSuccess);
    if (first != StatusCode::kSuccess) return first;
    EXPECT_EQ(reply.length, data.size());
    while (!data.empty()) {
      const auto part = data.first(std::min(piece, data.size()));
      data = data.subspan(part.size());
      if (const auto wrote = target_.write(part); wrote != StatusCode::kSuccess) {
        target_.abandon();
        return wrote;
      }
    }
    return target_.finish();
  }
  StatusCode write_memory(std::uint32_t address, ByteView data) {
    return send(Tag::kWriteMemory, {address, static_cast<std::uint32_t>(data.size()), 0}, data);
  }
  StatusCode receive_file(ByteView file) {
    return send(Tag::kReceiveSbFile, {static_cast<std::uint32_t>(file.size())}, file);
  }
  struct Given {
    StatusCode status{};
    Bytes bytes;
    bool operator==(const Given&) const = default;
  };
  Given get(Tag tag, const Words& parameters) {
    const auto reply = target_.execute({tag, 0, parameters});
    Given given{static_cast<StatusCode>(reply.packet.parameters.front()), {}};
    EXPECT_EQ(reply.packet.tag, tag == Tag::kFlashReadResource ? Tag::kFlashReadResourceResponse
                                                               : Tag::kReadMemoryResponse);
    if (given.status != StatusCode::kSuccess) return given;
    EXPECT_EQ(reply.data, Reply::Data::kToHost);
    EXPECT_EQ(reply.packet.parameters.at(1), reply.length);
    while (given.bytes.size() < reply.length) {
      Bytes piece(std::min<std::size_t>(1000, reply.length - given.bytes.size()));
      given.status = target_.read(piece);
      if (given.status != StatusCode::kSuccess) return given;
      given.bytes.insert(given.bytes.end(), piece.begin(), piece.end());
    }
    given.status = target_.finish();
    return given;
  }
  Given read_memory(std::uint32_t address, std::uint32_t length) {
    return get(Tag::kReadMemory, {address, length, 0});
  }

  World world_;
  OemDesk oem_{world_};
  PackagePlan plan_ = small_plan();
  unsigned power_ons_ = 0;
  std::vector<std::string> log_;
  std::shared_ptr<Medium> medium_ = ready_medium();
  PartTarget target_ = target_for(medium_);
};

TEST_F(Targets, AnswerEveryProperty) {
  EXPECT_EQ(property(0x01), (Words{0, 0x4B030000})) << "K3.0.0";
  EXPECT_EQ(property(0x0B), (Words{0, 1024}));
  EXPECT_EQ(property(0x0E), (Words{0, 0x20000000}));
  EXPECT_EQ(property(0x0F), (Words{0, 0x20000}));
  EXPECT_EQ(property(0x18), (Words{0, 0x54010000}));
  EXPECT_EQ(power_ons_, 0U) << "none of them needs the part";
  EXPECT_EQ(property(0x03), (Words{0, 0}));
  EXPECT_EQ(property(0x04), (Words{0, kSmallFlash}));
  EXPECT_EQ(property(0x05), (Words{0, 4096}));
  EXPECT_EQ(property(0x11), (Words{0, 0x5AA55AA5}));
  const auto id = property(0x12);
  target_.power_off();
  const auto whole = reopened(world_, medium_)->id();
  Words expected = {0};
  for (std::size_t i = 0; i < 16; i += 4) {
    expected.push_back(mboot::load32(ByteView(whole).subspan(i)));
  }
  EXPECT_EQ(id, expected);
}

TEST_F(Targets, SayThatTheyDoNotKnowOtherProperties) {
  for (const std::uint32_t id : {0x00U, 0x02U, 0x06U, 0x0AU, 0x10U, 0x19U, 0xFFFFFFFFU}) {
    EXPECT_EQ(property(id), (Words{10300})) << id;
    EXPECT_EQ(status(Tag::kSetProperty, {id, 1}), StatusCode::kUnknownProperty);
  }
  EXPECT_EQ(status(Tag::kSetProperty, {0x0B, 512}), StatusCode::kReadOnlyProperty);
  EXPECT_EQ(property(0x0E, 1), (Words{4})) << "there is one RAM";
  EXPECT_EQ(property(0x03, 1), (Words{4})) << "and one flash";
}

TEST_F(Targets, ClaimInTheirBitmapExactlyWhatTheyDo) {
  const auto bits = property(0x07).at(1);
  for (std::uint32_t tag = 1; tag <= 32; ++tag) {
    // Without parameters a known command says that they are wrong, erases, or resets.
    const auto reply = target_.execute({static_cast<Tag>(tag), 0, {}});
    const bool known =
        static_cast<StatusCode>(reply.packet.parameters.front()) != StatusCode::kUnknownCommand;
    EXPECT_EQ((bits >> (tag - 1) & 1U) != 0, known) << "tag " << tag;
  }
  EXPECT_EQ(bits, 0x00FCECDFU) << std::hex << bits;
}

TEST_F(Targets, RefuseHonestlyWhatTheyDoNotDo) {
  EXPECT_EQ(ask(Tag::kExecute, {0, 0, 0}), (Words{10000, 0x09}));
  EXPECT_EQ(ask(Tag::kCall, {0, 0}), (Words{10000, 0x0A}));
  const auto trust = target_.execute({Tag::kTrustProvisioning, 0, {99, 1, 2, 3, 4, 5, 6, 7, 8}});
  EXPECT_EQ(trust.packet.tag, Tag::kTrustProvisioningResponse);
  EXPECT_EQ(trust.packet.parameters, (Words{10000, 0})) << "with a value, as hosts expect it";
}

TEST_F(Targets, P03_RefuseOtherParameters) {
  EXPECT_EQ(status(Tag::kGetProperty), StatusCode::kInvalidArgument);
  EXPECT_EQ(status(Tag::kGetProperty, {1, 0, 0}), StatusCode::kInvalidArgument);
  EXPECT_EQ(status(Tag::kReset, {1}), StatusCode::kInvalidArgument);
  EXPECT_EQ(status(Tag::kWriteMemory, {kRam, 4, 0}), StatusCode::kInvalidArgument)
      << "no data phase announced";
  EXPECT_EQ(status(Tag::kReadMemory, {kRam, 4, 9}), StatusCode::kInvalidArgument)
      << "another memory";
  EXPECT_EQ(status(Tag::kFlashEraseAll, {9}), StatusCode::kInvalidArgument);
  EXPECT_EQ(status(Tag::kFlashProgramOnce, {0, 8, 1}), StatusCode::kInvalidArgument);
  EXPECT_EQ(status(Tag::kFlashReadOnce, {0, 3}), StatusCode::kInvalidArgument);
  EXPECT_EQ(send(Tag::kFuseProgram, {0, 3, 0}, Bytes(3)), StatusCode::kInvalidArgument);
  for (const Words& words :
       {Words{0, 4, 9}, Words{0, 0, 0}, Words{0, 0}, Words{0, 3, 0}, Words{0, 6, 0}, Words{0, 7}}) {
    EXPECT_EQ(ask(Tag::kFuseRead, words), (Words{4, 0})) << ::testing::PrintToString(words);
  }
}

TEST_F(Targets, WriteReadAndFillTheRamUntilAReset) {
  const auto data = pattern(3000, 5);
  EXPECT_EQ(read_memory(kRam + 100, 3), (Given{{}, Bytes(3)}));
  EXPECT_EQ(write_memory(kRam + 0x8000, data), StatusCode::kSuccess);
  EXPECT_EQ(read_memory(kRam + 0x8000, 3000), (Given{{}, data}));
  EXPECT_EQ(status(Tag::kFillMemory, {kRam + 1, 6, 0x44332211}), StatusCode::kSuccess);
  EXPECT_EQ(read_memory(kRam, 8), (Given{{}, {0, 0x11, 0x22, 0x33, 0x44, 0x11, 0x22, 0}}));
  EXPECT_EQ(power_ons_, 0U) << "the part's file is not needed for that";
  EXPECT_EQ(status(Tag::kReset), StatusCode::kSuccess);
  EXPECT_EQ(read_memory(kRam + 0x8000, 3000), (Given{{}, Bytes(3000)}));
}

TEST_F(Targets, P01_RefuseRangesThatAreNotInOneMemory) {
  constexpr auto kEnd = kRam + device::Ram::kSize;
  const std::array<std::pair<std::uint32_t, std::uint32_t>, 8> ranges = {{
      {kEnd - 1, 2},
      {kRam - 1, 2},
      {kEnd, 1},
      {kSmallFlash - 1, 2},
      {kSmallFlash, 1},
      {0, 0xFFFFFFFF},
      {0xFFFFFFFF, 1},
      {0xFFFFFFFF, 0xFFFFFFFF},
  }};
  for (const auto& [address, length] : ranges) {
    const auto at = ::testing::PrintToString(std::pair(address, length));
    EXPECT_EQ(read_memory(address, length).status, StatusCode::kMemoryRange) << at;
    EXPECT_EQ(status(Tag::kFillMemory, {address, length, 1}), StatusCode::kMemoryRange) << at;
    const auto reply = target_.execute({Tag::kWriteMemory, 1, {address, length, 0}});
    EXPECT_EQ(reply.packet.parameters.front(), 10200U) << at;
    EXPECT_EQ(reply.data, Reply::Data::kNone) << at;
  }
  EXPECT_EQ(status(Tag::kFlashEraseRegion, {0, kSmallFlash + 4096, 0}), StatusCode::kMemoryRange);
  EXPECT_EQ(status(Tag::kFlashReadOnce, {31, 8}), StatusCode::kMemoryRange);
  EXPECT_EQ(status(Tag::kFlashReadOnce, {0xFFFFFFFF, 4}), StatusCode::kMemoryRange);
  EXPECT_EQ(status(Tag::kFlashProgramOnce, {32, 4, 1}), StatusCode::kMemoryRange);
  EXPECT_EQ(get(Tag::kFuseRead, {31, 8, 0}).status, StatusCode::kMemoryRange);
}

TEST_F(Targets, WriteAndEraseTheFlashOfAPartWithoutAPackage) {
  const auto data = pattern(9000, 6);
  EXPECT_EQ(read_memory(0, 10), (Given{{}, Bytes(10)}));
  EXPECT_EQ(write_memory(100, data), StatusCode::kSuccess);
  EXPECT_EQ(write_memory(kSmallFlash - 4, Bytes(4, 9)), StatusCode::kSuccess);
  EXPECT_EQ(status(Tag::kFillMemory, {20000, 5, 0x04030201}), StatusCode::kSuccess);
  EXPECT_EQ(status(Tag::kReset), StatusCode::kSuccess);
  EXPECT_EQ(read_memory(100, 9000), (Given{{}, data})) << "and the other writes kept it";
  EXPECT_EQ(read_memory(kSmallFlash - 4, 4), (Given{{}, Bytes(4, 9)}));
  EXPECT_EQ(read_memory(19999, 7), (Given{{}, {0, 1, 2, 3, 4, 1, 0}}));
  EXPECT_EQ(status(Tag::kFlashEraseRegion, {1, 4096, 0}), StatusCode::kFlashAlignment);
  EXPECT_EQ(status(Tag::kFlashEraseRegion, {0, 4095, 0}), StatusCode::kFlashAlignment);
  EXPECT_EQ(status(Tag::kFlashEraseRegion, {4096, 4096, 0}), StatusCode::kSuccess);
  auto left = data;
  std::fill(left.begin() + 4096 - 100, left.begin() + 8192 - 100, std::uint8_t{0});
  EXPECT_EQ(read_memory(100, 9000), (Given{{}, left}));
  EXPECT_EQ(status(Tag::kFlashEraseAll, {0}), StatusCode::kSuccess);
  EXPECT_EQ(read_memory(0, kSmallFlash), (Given{{}, Bytes(kSmallFlash)}));
}

TEST_F(Targets, LeaveTheFlashAsItWasWhenTheHostVanishes) {
  EXPECT_EQ(write_memory(0, Bytes(100, 1)), StatusCode::kSuccess);
  const auto before = *medium_;
  ASSERT_EQ(target_.execute({Tag::kWriteMemory, 1, {50, 200, 0}}).data, Reply::Data::kFromHost);
  EXPECT_EQ(target_.write(Bytes(120, 2)), StatusCode::kSuccess);
  target_.abandon();
  EXPECT_EQ(read_memory(0, 100), (Given{{}, Bytes(100, 1)}));
  EXPECT_EQ(read_memory(100, 100), (Given{{}, Bytes(100)}));
  EXPECT_TRUE(*medium_ == before) << "nothing is left of it";
}

TEST_F(Targets, WriteTheFlashOfBlankSilicon) {
  target_ = target_for(blank_medium());
  EXPECT_EQ(write_memory(0, Bytes(10, 1)), StatusCode::kSuccess);
  EXPECT_EQ(read_memory(0, 10), (Given{{}, Bytes(10, 1)}));
  EXPECT_EQ(status(Tag::kFlashProgramOnce, {0, 4, 1}), StatusCode::kSecurityViolation)
      << "no software runs";
  EXPECT_EQ(receive_file(oem_.share_blob()), StatusCode::kSecurityViolation);
}

TEST_F(Targets, ProgramAndReadFuses) {
  EXPECT_EQ(status(Tag::kFlashProgramOnce, {4, 8, 0x0000F00F, 2}), StatusCode::kSuccess);
  EXPECT_EQ(ask(Tag::kFlashReadOnce, {4, 8}), (Words{0, 8, 0xF00F, 2}));
  EXPECT_EQ(send(Tag::kFuseProgram, {4, 8, 0}, Bytes{0xF0, 0, 0, 0, 1, 0, 0, 0x80}),
            StatusCode::kSuccess);
  EXPECT_EQ(ask(Tag::kFlashReadOnce, {4, 4}), (Words{0, 4, 0xF0FF})) << "bits only go to 1";
  EXPECT_EQ(get(Tag::kFuseRead, {3, 12, 0}),
            (Given{{}, {0, 0, 0, 0, 0xFF, 0xF0, 0, 0, 3, 0, 0, 0x80}}));
}

TEST_F(Targets, TakeSoftwareShareBlobAndPackageByTheirMagic) {
  EXPECT_EQ(write_memory(0, Bytes(100, 1)), StatusCode::kSuccess);
  EXPECT_EQ(receive_file(world_.software(2)), StatusCode::kSuccess);
  EXPECT_EQ(status(Tag::kReset), StatusCode::kSuccess);
  EXPECT_EQ(receive_file(oem_.share_blob()), StatusCode::kSuccess);
  EXPECT_EQ(receive_file(oem_.package(plan_)), StatusCode::kSuccess);
  target_.power_off();
  auto part = reopened(world_, medium_);
  EXPECT_EQ(part->info().software->version, 2U);
  EXPECT_EQ(part->life_cycle(), device::LifeCycle::kProvisioned);
  EXPECT_EQ(part->info().assets.size(), plan_.assets.size());
  EXPECT_THAT(part->prove(core::ByteArray<32>{7}), Succeeds());
}

TEST_F(Targets, D01_D04_RefuseWhatAProvisionedPartForbids) {
  EXPECT_EQ(receive_file(oem_.share_blob()), StatusCode::kSuccess);
  EXPECT_EQ(receive_file(oem_.package(plan_)), StatusCode::kSuccess);
  for (const bool locked : {false, true}) {
    if (locked) {
      target_.power_off();
      done(reopened(world_, medium_)->lock());
    }
    EXPECT_EQ(property(0x11), (Words{0, 0xC33CC33C}));
    const auto before = *medium_;
    EXPECT_EQ(write_memory(0, Bytes(4)), StatusCode::kSecurityViolation);
    EXPECT_EQ(status(Tag::kFillMemory, {0, 4, 0}), StatusCode::kSecurityViolation);
    EXPECT_EQ(status(Tag::kFlashEraseAll), StatusCode::kSecurityViolation);
    EXPECT_EQ(status(Tag::kFlashEraseRegion, {0, 4096, 0}), StatusCode::kSecurityViolation);
    EXPECT_EQ(read_memory(0, kSmallFlash).status, StatusCode::kSecurityViolation);
    EXPECT_EQ(read_memory(0xC000, 10).status, StatusCode::kSecurityViolation) << "write-only";
    for (const Words& words : {Words{0, kSmallFlash, 0}, Words{0xC000, 10}}) {
      EXPECT_EQ(ask(Tag::kReadMemory, words), (Words{10001, 0})) << "before a first byte goes out";
    }
    EXPECT_EQ(write_memory(kRam, Bytes(4, 1)), StatusCode::kSuccess) << "RAM is the host's";
    if (locked) {
      EXPECT_EQ(receive_file(oem_.share_blob()), StatusCode::kSecurityViolation);
      EXPECT_EQ(receive_file(oem_.package(plan_)), StatusCode::kSecurityViolation);
      EXPECT_EQ(receive_file(world_.software(3)), StatusCode::kSecurityViolation);
      EXPECT_EQ(status(Tag::kUpdateLifeCycle, {3}), StatusCode::kSecurityViolation);
      EXPECT_EQ(status(Tag::kFlashProgramOnce, {0, 4, 1}), StatusCode::kSecurityViolation);
      EXPECT_EQ(send(Tag::kFuseProgram, {0, 4, 0}, Bytes(4, 1)), StatusCode::kSecurityViolation);
    }
    EXPECT_TRUE(*medium_ == before);
  }
}

TEST_F(Targets, D01_GiveNoSecretWhateverIsRead) {
  EXPECT_EQ(receive_file(oem_.share_blob()), StatusCode::kSuccess);
  EXPECT_EQ(receive_file(oem_.package(plan_)), StatusCode::kSuccess);
  Bytes out;
  const auto append = [&](const Given& given) {
    out.insert(out.end(), given.bytes.begin(), given.bytes.end());
  };
  for (std::uint32_t at = 0; at < kSmallFlash + 65536; at += 64) append(read_memory(at, 64));
  append(read_memory(kRam, device::Ram::kSize));
  append(get(Tag::kFuseRead, {0, 128, 0}));
  for (const auto& asset : plan_.assets) {
    const auto sample = ByteView(asset.content).first(8);
    const bool secret = asset.entry.is_key() || (asset.entry.flags & core::kAssetWriteOnly) != 0;
    const bool found =
        std::search(out.begin(), out.end(), sample.begin(), sample.end()) != out.end();
    EXPECT_FALSE(secret && found) << asset.entry.name;
  }
}

TEST_F(Targets, D10_ChangeNothingForAFileThatDoesNotVerify) {
  EXPECT_EQ(receive_file(oem_.share_blob()), StatusCode::kSuccess);
  const auto package = oem_.package(plan_);
  const auto before = *medium_;
  for (std::size_t at = 4; at < package.size(); at += 97) {
    auto bad = package;
    bad[at] ^= 4U;
    EXPECT_NE(receive_file(bad), StatusCode::kSuccess) << "byte " << at;
    EXPECT_TRUE(*medium_ == before) << "byte " << at;
  }
  auto bad = package;
  bad.back() ^= 1U;
  EXPECT_EQ(receive_file(bad), StatusCode::kSignature);
  bad = world_.software(2);
  bad.back() ^= 1U;
  EXPECT_EQ(receive_file(bad), StatusCode::kSignature);
  EXPECT_TRUE(*medium_ == before);
  EXPECT_EQ(receive_file(package), StatusCode::kSuccess) << "and it still takes the good one";
}

TEST_F(Targets, D10_P06_RefuseOtherFiles) {
  const auto before = *medium_;
  EXPECT_EQ(receive_file(core::bytes_of("sbv3 and what follows")), StatusCode::kInvalidArgument);
  EXPECT_EQ(receive_file(core::bytes_of("nothing of ours")), StatusCode::kInvalidArgument);
  EXPECT_EQ(receive_file(core::bytes_of("TSP")), StatusCode::kInvalidArgument);
  EXPECT_EQ(receive_file(oem_.master_blob()), StatusCode::kInvalidArgument);
  EXPECT_EQ(receive_file({}), StatusCode::kInvalidArgument);
  auto long_blob = oem_.share_blob();
  long_blob.resize(2000);
  EXPECT_EQ(receive_file(long_blob), StatusCode::kInvalidArgument);
  EXPECT_THAT(log_.back(), ::testing::HasSubstr("no such file is that long"));
  EXPECT_TRUE(*medium_ == before);
}

TEST_F(Targets, SayWhyAFileIsRefused) {
  const OemDesk other(world_);
  EXPECT_EQ(receive_file(other.share_blob()), StatusCode::kSuccess);
  EXPECT_NE(receive_file(oem_.package(plan_)), StatusCode::kSuccess);
  ASSERT_FALSE(log_.empty());
  EXPECT_THAT(log_.back(), ::testing::StartsWith("receive-sb-file: "));
  EXPECT_EQ(receive_file(oem_.share_blob()), StatusCode::kSuccess);
  EXPECT_EQ(receive_file(oem_.package(small_plan(2))), StatusCode::kSuccess);
  EXPECT_EQ(receive_file(oem_.package(plan_)), StatusCode::kRollbackBlocked);
}

TEST_F(Targets, D03_ForgetAPackageThatIsCutOff) {
  EXPECT_EQ(receive_file(oem_.share_blob()), StatusCode::kSuccess);
  const auto package = oem_.package(plan_);
  const auto before = *medium_;
  for (const bool by_reset : {false, true}) {
    ASSERT_EQ(target_
                  .execute({Tag::kReceiveSbFile,
                            mboot::kDataPhaseFollows,
                            {static_cast<std::uint32_t>(package.size())}})
                  .data,
              Reply::Data::kFromHost);
    ASSERT_EQ(target_.write(ByteView(package).first(package.size() - 1)), StatusCode::kSuccess);
    target_.abandon();
    if (by_reset) {
      EXPECT_EQ(status(Tag::kReset), StatusCode::kSuccess);
    }
    EXPECT_EQ(property(0x11), (Words{0, 0x5AA55AA5}));
    EXPECT_TRUE(*medium_ == before);
  }
  EXPECT_EQ(receive_file(oem_.share_blob()), StatusCode::kSuccess) << "the reset forgot it";
  EXPECT_EQ(receive_file(package), StatusCode::kSuccess);
}

TEST_F(Targets, FailWhenThePartDoesNotOpenAndRecoverWhenItDoes) {
  auto held = reopened(world_, medium_);
  bool there = false;
  target_ = PartTarget([&]() -> core::Result<std::unique_ptr<device::Part>> {
    if (!there) return core::Error{core::ErrorCode::kStorage, "in use"};
    return device::Part::open_in(world_.crypto_ptr(), std::make_unique<MediumStorage>(medium_));
  });
  EXPECT_EQ(property(0x04), (Words{1}));
  EXPECT_EQ(status(Tag::kFlashEraseAll), StatusCode::kFail);
  EXPECT_EQ(read_memory(0, 4).status, StatusCode::kFail);
  for (const auto which :
       {mboot::Resource::kIdentity, mboot::Resource::kCertificate, mboot::Resource::kProof}) {
    const auto address = which == mboot::Resource::kProof ? kRam : 0;
    EXPECT_EQ(ask(Tag::kFlashReadResource, {address, 4096, static_cast<std::uint32_t>(which)}),
              (Words{1, 0}));
  }
  EXPECT_EQ(property(0x01), (Words{0, 0x4B030000}));
  held.reset();
  there = true;
  EXPECT_EQ(property(0x04), (Words{0, kSmallFlash}));
}

// The power goes at every write and sync of a write-memory into flash that holds something already.
TEST_F(Targets, D02_D03_WriteFlashWholeOrNotAtAll) {
  const auto before = pattern(300, 1);
  const auto change = pattern(200, 2);
  auto after = before;
  std::ranges::copy(change, after.begin() + 50);
  ASSERT_EQ(write_memory(0, before), StatusCode::kSuccess);
  target_.power_off();
  const Medium base = *medium_;
  unsigned old_found = 0;
  unsigned new_found = 0;
  for (std::uint64_t at = 0;; ++at) {
    bool through = false;
    for (const auto cut : {Cut::kLost, Cut::kKept, Cut::kTorn, Cut::kOvertaken}) {
      auto medium = std::make_shared<Medium>(base);
      const MediumStorage* watched = nullptr;
      target_ = PartTarget([&] {
        auto storage = std::make_unique<MediumStorage>(medium, Failure{at, true});
        watched = storage.get();
        return device::Part::open_in(world_.crypto_ptr(), std::move(storage));
      });
      const auto wrote = write_memory(50, change);
      through = watched->changes() <= at;
      target_.power_off();
      medium->power_cut(cut, static_cast<std::uint32_t>(at));
      target_ = target_for(medium);
      const auto found = read_memory(0, 300);
      ASSERT_EQ(found.status, StatusCode::kSuccess);
      ASSERT_TRUE(found.bytes == before || found.bytes == after) << "cut at " << at;
      ASSERT_TRUE(wrote != StatusCode::kSuccess || found.bytes == after)
          << "reported, and then lost";
      ++(found.bytes == after ? new_found : old_found);
    }
    if (through) break;
    ASSERT_LT(at, 100U);
  }
  EXPECT_GT(old_found, 0U);
  EXPECT_GT(new_found, 0U);
}

TEST_F(Targets, D03_APackageLeavesNothingOfTheOpenFlash) {
  const Bytes mark(64, 0xA5);
  ASSERT_EQ(write_memory(kSmallFlash - 64, mark), StatusCode::kSuccess);
  EXPECT_TRUE(medium_->contains(mark));
  ASSERT_EQ(receive_file(oem_.share_blob()), StatusCode::kSuccess);
  ASSERT_EQ(receive_file(oem_.package(plan_)), StatusCode::kSuccess);
  target_.power_off();
  EXPECT_FALSE(medium_->contains(mark));
}

}  // namespace
}  // namespace tallystick::test
