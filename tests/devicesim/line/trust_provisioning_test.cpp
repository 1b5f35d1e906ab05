// A part as an OEM's security module, and a part that takes the file which was made with it.
#include "core/crypto/ec.h"
#include "devicesim/mboot/session.h"
#include "tests/devicesim/line/nxp_host.h"
#include "tests/devicesim/mboot/hex.h"
#include "tests/devicesim/support/owner.h"

namespace tallystick::test {
namespace {

using core::Bytes;
using core::ByteView;
using core::sb3::Command;
using core::sb3::CommandTag;
using core::sb3::CommandWriter;
using mboot::StatusCode;
using mboot::Tag;
using Words = NxpHost::Words;

Command load(std::uint32_t address, ByteView data) {
  return {.tag = CommandTag::kLoad,
          .address = address,
          .length = static_cast<std::uint32_t>(data.size())};
}

class TrustProvisioned : public ::testing::Test {
 protected:
  std::shared_ptr<Medium> ready_medium(const World& world) {
    auto medium = new_medium();
    ready_part(world, "", medium);
    return medium;
  }
  // A file with one load, and what it loads.
  Bytes firmware_file(std::uint32_t version = 1) {
    CommandWriter commands;
    done(commands.add(load(0x1000, firmware_), firmware_));
    return oem_.make_file(session(), commands, version);
  }
  const NxpHost::Session& session() {
    if (!session_) session_ = oem_.begin(seed_);
    return *session_;
  }
  Bytes file_of(const std::vector<std::pair<Command, Bytes>>& plan, std::uint32_t version = 1) {
    CommandWriter commands;
    for (const auto& [command, data] : plan) done(commands.add(command, data));
    return oem_.make_file(session(), commands, version);
  }
  // The part refuses it and is as it was, down to the last byte of its medium.
  void expect_refused(ByteView file, StatusCode word) {
    const auto before = *part_medium_;
    EXPECT_EQ(part_.receive_file(file), word);
    part_.reset();
    EXPECT_TRUE(*part_medium_ == before) << "the part has changed";
  }

  World world_{{core::kFamilyUniform}};
  std::shared_ptr<Medium> part_medium_ = ready_medium(world_);
  NxpHost oem_{world_, ready_medium(world_)};  // the part on the OEM's desk
  NxpHost part_{world_, part_medium_};         // the one at the manufacturer
  Bytes seed_ = pattern(16, 1);
  Bytes firmware_ = pattern(3000, 2);
  std::optional<NxpHost::Session> session_;
};

TEST_F(TrustProvisioned, AWholeSessionEndsWithTheFirmwareInAnotherPart) {
  const auto file = firmware_file();
  EXPECT_EQ(file.size(), 284U + 12 * 292U) << "284 bytes of block 0, 12 blocks of data";
  EXPECT_EQ(part_.receive_file(file), StatusCode::kSuccess);
  EXPECT_EQ(part_.read(0x1000, 3000), firmware_);
  part_.reset();
  EXPECT_EQ(part_.read(0x1000, 3000), firmware_) << "and it stays over a reset";
}

TEST_F(TrustProvisioned, TheSameShareComesBackFromItsSeedAndBlob) {
  const auto file = firmware_file(3);
  const auto first = session();
  EXPECT_EQ(part_.receive_file(file), StatusCode::kSuccess);
  oem_.reset();
  EXPECT_EQ(oem_.set_master_share(first.seed, first.master), (Words{0}));
  auto again = first;
  again.share.assign(first.master.begin(), first.master.begin() + 48);
  again.signing = oem_.generate_key(0xC3A5);
  again.encryption = oem_.generate_key(0xA5C3);
  EXPECT_EQ(again.signing.blob, first.signing.blob);
  EXPECT_EQ(again.share, first.share) << "NXP's client takes the blob's first 48 bytes for it";
  const auto update = pattern(500, 9);
  CommandWriter commands;
  done(commands.add(load(0x1000, update), update));
  EXPECT_EQ(part_.receive_file(oem_.make_file(again, commands, 4)), StatusCode::kSuccess);
  EXPECT_EQ(part_.read(0x1000, 500), update);
}

TEST_F(TrustProvisioned, S01_AMasterShareIsSetOnlyWithItsOwnSeed) {
  const auto first = session();
  oem_.reset();
  EXPECT_EQ(oem_.set_master_share(pattern(16, 77), first.master), (Words{10118, 0}));
  EXPECT_EQ(oem_.trust({3, 0xC3A5, 0, oem_.slot(0), 256, oem_.slot(1), 256}), (Words{4, 0, 0}))
      << "and there is no share after that";
  auto damaged = first.master;
  damaged[63] ^= 1;
  EXPECT_EQ(oem_.set_master_share(first.seed, damaged), (Words{10118, 0}));
  EXPECT_EQ(oem_.set_master_share(first.seed, first.master), (Words{0}));
}

TEST_F(TrustProvisioned, ASecondMasterShareNeedsAReset) {
  (void)session();
  EXPECT_EQ(oem_.generate_master_share(seed_), (Words{10001, 0, 0, 0}));
  EXPECT_EQ(oem_.set_master_share(seed_, session_->master), (Words{10001, 0}));
  oem_.reset();
  EXPECT_EQ(oem_.generate_master_share(seed_), (Words{0, 48, 64, 64}));
  EXPECT_NE(oem_.read(oem_.slot(1), 48), session_->share) << "another share, of the same seed";
}

TEST_F(TrustProvisioned, WithoutAShareNothingIsMade) {
  EXPECT_EQ(part_.trust({3, 0xC3A5, 0, part_.slot(0), 256, part_.slot(1), 256}), (Words{4, 0, 0}));
  EXPECT_EQ(part_.trust({4, 1, 1, part_.slot(0), 32, part_.slot(1), 256}), (Words{4, 0, 0}));
  EXPECT_EQ(part_.trust({5, part_.slot(0), 48, 16, part_.slot(1), 60, 1, part_.slot(2), 256}),
            (Words{4, 0}));
  EXPECT_EQ(part_.trust({6, part_.slot(0), 48, part_.slot(1), 220, part_.slot(2), 64}),
            (Words{4, 0}));
  EXPECT_EQ(part_.trust({7}), (Words{10000, 0})) << "no such operation";
}

TEST_F(TrustProvisioned, P01_BuffersOutsideTheRamAreRefusedAndNothingIsWritten) {
  (void)session();
  constexpr std::uint32_t kEnd = device::Ram::kStart + device::Ram::kSize;
  const std::array<std::pair<std::uint32_t, std::uint32_t>, 7> outside = {
      {{kEnd - 63, 64},
       {0, 64},
       {device::Ram::kStart - 1, 64},
       {0xFFFFFFFF, 64},
       {0xFFFFFFF0, 0xFFFFFFFF},
       {kEnd, 1},
       {device::Ram::kStart, 0xFFFFFFFF}}};
  const Words good = {6, oem_.slot(0), 48, oem_.slot(1), 220, oem_.slot(2), 64};
  const auto before = oem_.read(device::Ram::kStart, device::Ram::kSize);
  for (std::size_t pair = 1; pair < good.size(); pair += 2) {
    for (const auto& [address, size] : outside) {
      auto words = good;
      words[pair] = address;
      words[pair + 1] = size;
      EXPECT_EQ(oem_.trust(words), (Words{10200, 0})) << pair << " " << address << " " << size;
    }
  }
  EXPECT_EQ(oem_.read(device::Ram::kStart, device::Ram::kSize), before);
}

TEST_F(TrustProvisioned, P03_OtherSizesAndParametersAreRefused) {
  const auto at = [&](unsigned number) { return oem_.slot(number); };
  const Words all = {0, at(0), 16, at(1), 256, at(2), 256, at(3), 256};
  const auto changed = [&](std::size_t word, std::uint32_t value) {
    auto words = all;
    words[word] = value;
    return words;
  };
  for (const auto& words :
       {changed(2, 15), changed(2, 17), changed(4, 47), changed(6, 63), changed(8, 63),
        changed(5, at(1) + 255), changed(7, at(2)), changed(7, at(1)), changed(7, at(1) - 255)}) {
    EXPECT_EQ(oem_.trust(words), (Words{4, 0, 0, 0}));
  }
  EXPECT_EQ(oem_.trust({0, at(0), 16}), (Words{4, 0, 0, 0})) << "parameters are missing";
  EXPECT_EQ(oem_.trust({}), (Words{4, 0}));
  const auto made = session();
  EXPECT_EQ(oem_.trust({3, 0x1234, 0, at(0), 256, at(1), 256}), (Words{4, 0, 0}));
  EXPECT_EQ(oem_.trust({3, 0xC3A5, 1, at(0), 256, at(1), 256}), (Words{4, 0, 0}));
  EXPECT_EQ(oem_.trust({3, 0xC3A5, 0, at(0), 47, at(1), 256}), (Words{4, 0, 0}));
  EXPECT_EQ(oem_.trust({3, 0xC3A5, 0, at(0), 256, at(0) + 255, 256}), (Words{4, 0, 0}));
  EXPECT_EQ(oem_.trust({4, 7, 1, at(0), 32, at(1), 256}), (Words{4, 0, 0}));
  EXPECT_EQ(oem_.trust({4, 1, 0, at(0), 32, at(1), 256}), (Words{4, 0, 0}));
  EXPECT_EQ(oem_.trust({4, 1, 2, at(0), 16, at(1), 256}), (Words{4, 0, 0}));
  EXPECT_EQ(oem_.trust({4, 1, 1, at(0), 32, at(1), 47}), (Words{4, 0, 0}));
  oem_.write(at(0), made.encryption.blob);
  EXPECT_EQ(oem_.trust({6, at(0), 48, at(1), 220, at(2), 64}), (Words{10101, 0}))
      << "an encryption key signs nothing";
  EXPECT_EQ(oem_.trust({6, at(0), 48, at(1), 0, at(2), 64}), (Words{4, 0}));
  EXPECT_EQ(oem_.trust({5, at(0), 48, 17, at(1), 60, 1, at(2), 256}), (Words{4, 0}));
  EXPECT_EQ(oem_.trust({5, at(0), 48, 16, at(1), 60, 1, at(2), 255}), (Words{4, 0}));
  EXPECT_EQ(oem_.trust({5, at(0), 48, 16, at(1), 60, 1, at(2), 256}), (Words{4, 0}))
      << "no header there";
  core::sb3::Header file_template;
  file_template.flags = 1;
  file_template.image_type = 6;
  file_template.block0_length = 60;
  oem_.write(at(1), core::sb3::encode_header(file_template));
  EXPECT_EQ(oem_.trust({5, at(0), 48, 17, at(1), 60, 1, at(2), 256}), (Words{4, 0}))
      << "no such key-encryption key";
  EXPECT_EQ(oem_.trust({5, at(0), 48, 16, at(1), 60, 1, at(2), 256}), (Words{0}));
}

TEST_F(TrustProvisioned, ResultsMayStandWhereTheInputsStood) {
  const auto first = session();
  oem_.write(oem_.slot(0), first.signing.blob);
  const auto data = pattern(220, 5);
  oem_.write(oem_.slot(0) + 48, data);
  EXPECT_EQ(oem_.trust({6, oem_.slot(0), 48, oem_.slot(0) + 48, 220, oem_.slot(0) + 10, 64}),
            (Words{0, 64}));
  const auto key = value(
      core::EcPublicKey::from_xy(world_.crypto(), core::Curve::kP256, first.signing.public_key));
  EXPECT_THAT(key.verify(world_.crypto(), {data}, oem_.read(oem_.slot(0) + 10, 64)), Succeeds());
}

TEST_F(TrustProvisioned, ResultsMayStandInAnyOrderAndSideBySide) {
  oem_.write(oem_.slot(0), seed_);
  const auto at = oem_.slot(1);
  EXPECT_EQ(oem_.trust({0, oem_.slot(0), 16, at + 128, 48, at + 64, 64, at, 64}),
            (Words{0, 48, 64, 64}));
  EXPECT_EQ(oem_.read(at + 128, 48), Bytes(oem_.read(at + 64, 48))) << "the share, and the master";
  EXPECT_EQ(oem_.trust({3, 0xC3A5, 0, at + 64, 48, at, 64}), (Words{0, 48, 64}));
  EXPECT_THAT(core::EcPublicKey::from_xy(world_.crypto(), core::Curve::kP256, oem_.read(at, 64)),
              Succeeds());
}

TEST_F(TrustProvisioned, TheDiceKeyIsThePartsOwnAndTheRootsOwn) {
  const auto harvest = [](NxpHost& host, std::uint32_t seed) {
    host.write(host.slot(0), pattern(32, seed));
    EXPECT_EQ(host.trust({2, host.slot(0), 32, host.slot(1), 64}), (Words{0, 64}));
    return host.read(host.slot(1), 64);
  };
  const auto key = harvest(part_, 1);
  EXPECT_THAT(core::EcPublicKey::from_xy(world_.crypto(), core::Curve::kP256, key), Succeeds());
  EXPECT_EQ(harvest(part_, 1), key);
  EXPECT_NE(harvest(part_, 2), key);
  EXPECT_NE(harvest(oem_, 1), key);
  EXPECT_EQ(part_.trust({2, part_.slot(0), 33, part_.slot(1), 64}), (Words{4, 0}));
}

TEST_F(TrustProvisioned, S05_PartsOfOtherFamiliesMakeNoShares) {
  for (const auto flags : {std::uint8_t{0}, core::kFamilyCounted}) {
    const World world({flags});
    NxpHost host(world, ready_medium(world));
    EXPECT_EQ(host.generate_master_share(seed_), (Words{10001, 0, 0, 0}));
  }
}

TEST_F(TrustProvisioned, NothingIsServedWithoutOperationTwelve) {
  auto medium = new_medium();
  {
    auto part = blank_part(world_, "", medium);
    make_ready(world_, *part,
               world_.software(1, kForAll, all_permissions_but(core::Operation::kNxpCommands)));
  }
  NxpHost host(world_, medium);
  EXPECT_EQ(host.generate_master_share(seed_), (Words{10001, 0, 0, 0}));
  EXPECT_EQ(host.ask(Tag::kKeyProvisioning, {0}), (Words{10001, 0x15}));
  EXPECT_EQ(host.send(Tag::kGenerateKeyBlob, {0, 16, 0}, Bytes(16)),
            StatusCode::kSecurityViolation);
  EXPECT_EQ(host.receive_file(firmware_file()), StatusCode::kSecurityViolation);
}

// As docs/serial-line.md shows it: what stands on the line, byte by byte.
TEST_F(TrustProvisioned, TheLineCarriesTheOperationsByteByByte) {
  mboot::Session session(oem_.target());
  const auto says = [&](std::string_view digits) {
    const auto bytes = from_hex(digits);
    ByteView input = bytes;
    return core::to_hex(session.receive(input).bytes);
  };
  // oem_gen_master_share with nine parameters: 40 bytes of packet.
  EXPECT_EQ(says("5aa4 2800 ee14 16000009 00000000 00800020 10000000 00810020 00010000 00820020 "
                 "00010000 00830020 00010000"),
            "5aa15aa41400e612b600000400000000300000004000000040000000");
  EXPECT_EQ(says("5aa1"), "");
  // A second one: 10001, and zeros.
  EXPECT_EQ(says("5aa4 2800 ee14 16000009 00000000 00800020 10000000 00810020 00010000 00820020 "
                 "00010000 00830020 00010000"),
            "5aa15aa41400f7bdb600000411270000000000000000000000000000");
}

// ---- Taking a file in.

TEST_F(TrustProvisioned, D10_EveryFlippedBitIsRefusedAndChangesNothing) {
  const auto file = firmware_file();
  const auto before = *part_medium_;
  for (std::size_t at = 0; at < file.size(); at += at < 284 ? 1 : 41) {
    auto damaged = file;
    damaged[at] ^= static_cast<std::uint8_t>(1U << at % 8);
    const auto word = part_.receive_file(damaged);
    EXPECT_NE(word, StatusCode::kSuccess) << at;
    const auto expected = at >= 220   ? StatusCode::kSignature
                          : at >= 172 ? StatusCode::kBadKek
                                      : word;
    EXPECT_EQ(word, expected) << at;
  }
  part_.reset();
  EXPECT_TRUE(*part_medium_ == before);
  EXPECT_EQ(part_.receive_file(file), StatusCode::kSuccess);
}

TEST_F(TrustProvisioned, D03_ACutFileChangesNothing) {
  const auto file = firmware_file();
  const auto before = *part_medium_;
  for (std::size_t size = 1; size < file.size(); size += 97) {
    EXPECT_NE(part_.receive_file(ByteView(file).first(size)), StatusCode::kSuccess) << size;
    // A host that announces all of it and vanishes.
    ASSERT_EQ(part_.target()
                  .execute({Tag::kReceiveSbFile,
                            mboot::kDataPhaseFollows,
                            {static_cast<std::uint32_t>(file.size())}})
                  .data,
              mboot::Reply::Data::kFromHost);
    EXPECT_EQ(part_.target().write(ByteView(file).first(size)), StatusCode::kSuccess);
    part_.target().abandon();
  }
  part_.reset();
  EXPECT_TRUE(*part_medium_ == before);
}

TEST_F(TrustProvisioned, ASecondFileHasToWaitForTheFirst) {
  const auto file = firmware_file();
  const auto part = reopened(world_, part_medium_);
  auto first = value(part->install_sb3(file.size()));
  // Nothing of it has come, a part of block 0, and block 0 with some of the rest.
  const std::array<std::size_t, 3> pieces = {0, 100, 900};
  ByteView rest = file;
  for (const auto size : pieces) {
    done(first->update(rest.first(size)));
    rest = rest.subspan(size);
    EXPECT_THAT(part->install_sb3(file.size()), FailsWith(core::ErrorCode::kLifeCycle)) << size;
  }
  done(first->update(rest));
  EXPECT_THAT(first->finish(), Succeeds()) << "what was refused has not disturbed it";
  Bytes flash(firmware_.size());
  done(part->read_open_flash(0x1000, flash));
  EXPECT_EQ(flash, firmware_);
  EXPECT_THAT(part->install_sb3(file.size()), Succeeds());
}

TEST_F(TrustProvisioned, D02_D03_APowerCutAtAnyMomentLeavesTheOldStateOrTheNew) {
  const auto key = oem_.store_key((session(), pattern(32, 4)));
  const auto file =
      file_of({{load(0x1000, firmware_), firmware_},
               {{.tag = CommandTag::kProgramFuses, .address = 5, .length = 4}, Bytes{1, 2, 3, 4}},
               {{.tag = CommandTag::kLoadKeyBlob, .address = 0x80, .length = 48, .id = 17}, key}},
              7);
  const auto install = [&](const std::shared_ptr<Medium>& medium, std::optional<Failure> failure) {
    auto part = reopened(world_, medium, failure);
    auto installer = part->install_sb3(file.size());
    if (!installer || !(*installer)->update(file)) return false;
    return (*installer)->finish().ok();
  };
  const auto whole = std::make_shared<Medium>(*part_medium_);
  ASSERT_TRUE(install(whole, std::nullopt));
  bool succeeded = false;
  for (std::uint64_t at = 0; !succeeded; ++at) {
    for (const auto cut : {Cut::kLost, Cut::kKept, Cut::kTorn, Cut::kOvertaken}) {
      const auto medium = std::make_shared<Medium>(*part_medium_);
      bool done_it = false;
      try {
        done_it = install(medium, Failure{at, true});
      } catch (const std::exception&) {  // the power went while it was switched on
      }
      medium->power_cut(cut, static_cast<std::uint32_t>(at));
      const auto part = reopened(world_, medium);
      const auto* const state = part->nxp_state();
      const bool new_state = state != nullptr;
      EXPECT_TRUE(new_state || !done_it) << at;
      Bytes flash(firmware_.size());
      done(part->read_open_flash(0x1000, flash));
      EXPECT_EQ(flash == firmware_, new_state) << at;
      EXPECT_EQ(value(part->read_fuse(5)) == 0x04030201, new_state) << at;
      EXPECT_EQ(part->info().owner.has_value(), new_state) << at;
      if (new_state) {
        EXPECT_EQ(state->minimum_firmware_version, 7U);
        EXPECT_EQ(state->keys.size(), 1U);
      }
      succeeded = succeeded || done_it;
    }
    ASSERT_LT(at, 200U) << "it never ends";
  }
}

TEST_F(TrustProvisioned, D04_AnotherOemsFileIsRefusedOnceThePartHasAnOwner) {
  NxpHost stranger(world_, ready_medium(world_));
  CommandWriter commands;
  const auto theirs = pattern(100, 66);
  done(commands.add(load(0, theirs), theirs));
  const auto file = stranger.make_file(stranger.begin(pattern(16, 55)), commands, 99);
  EXPECT_EQ(part_.receive_file(firmware_file()), StatusCode::kSuccess);
  part_.reset();
  expect_refused(file, StatusCode::kSecurityViolation);
  OemDesk desk(world_);
  EXPECT_EQ(part_.receive_file(desk.share_blob()), StatusCode::kSuccess);
  EXPECT_EQ(part_.receive_file(desk.package(small_plan())), StatusCode::kSecurityViolation)
      << "nor a package of somebody else";
}

TEST_F(TrustProvisioned, S12_AnotherFamilysFileIsRefused) {
  const World other({core::kFamilyUniform});
  NxpHost stranger(other, ready_medium(other));
  CommandWriter commands;
  done(commands.add({.tag = CommandTag::kErase, .length = 4096}));
  expect_refused(stranger.make_file(stranger.begin(seed_), commands), StatusCode::kBadKek);
}

TEST_F(TrustProvisioned, OlderFirmwareIsRefusedAndTheSameIsTaken) {
  EXPECT_EQ(part_.receive_file(firmware_file(5)), StatusCode::kSuccess);
  EXPECT_EQ(part_.receive_file(firmware_file(5)), StatusCode::kSuccess);
  part_.reset();
  expect_refused(firmware_file(4), StatusCode::kRollbackBlocked);
  const auto check = [&](std::uint32_t version) {
    return file_of({{{.tag = CommandTag::kFirmwareVersionCheck, .value = version, .id = 1}, {}}},
                   6);
  };
  expect_refused(check(4), StatusCode::kRollbackBlocked);
  EXPECT_EQ(part_.receive_file(check(5)), StatusCode::kSuccess);
}

TEST_F(TrustProvisioned, CommandsEraseFillAndBlowFuses) {
  part_.write(0, Bytes(0x3000, 0xEE));
  const auto file = file_of(
      {{{.tag = CommandTag::kErase, .address = 0x1004, .length = 1}, {}},
       {{.tag = CommandTag::kFillMemory, .address = 0x1002, .length = 6, .value = 0x44332211}, {}},
       {{.tag = CommandTag::kProgramFuses, .address = 30, .length = 8},
        Bytes{1, 0, 0, 0, 2, 0, 0, 0}}});
  EXPECT_EQ(part_.receive_file(file), StatusCode::kSuccess);
  Bytes expected(0x3000, 0xEE);
  std::fill(expected.begin() + 0x1000, expected.begin() + 0x2000, std::uint8_t{0});
  std::ranges::copy(Bytes{0x11, 0x22, 0x33, 0x44, 0x11, 0x22}, expected.begin() + 0x1002);
  EXPECT_EQ(part_.read(0, 0x3000), expected) << "whole sectors are erased";
  EXPECT_EQ(part_.ask(Tag::kFlashReadOnce, {30, 8}), (Words{0, 8, 1, 2}));
}

TEST_F(TrustProvisioned, CommandsThatThePartDoesNotDoAreRefusedAsAWhole) {
  const std::pair<Command, Bytes> good = {load(0x1000, firmware_), firmware_};
  const auto with = [&](const Command& command, const Bytes& data = {}) {
    return file_of({good, {command, data}});
  };
  for (const auto tag :
       {CommandTag::kExecute, CommandTag::kCall, CommandTag::kConfigureMemory, CommandTag::kCopy,
        CommandTag::kProgramIfr, CommandTag::kLoadCmac, CommandTag::kLoadHashLocking}) {
    SCOPED_TRACE(core::sb3::command_name(tag));
    expect_refused(with({.tag = tag}), StatusCode::kUnexpectedFileCommand);
  }
  expect_refused(
      with({.tag = CommandTag::kLoad, .address = kSmallFlash - 1, .length = 2}, Bytes(2)),
      StatusCode::kMemoryRange);
  expect_refused(with({.tag = CommandTag::kLoad, .length = 2, .memory = 9}, Bytes(2)),
                 StatusCode::kMemoryRange);
  expect_refused(with({.tag = CommandTag::kErase, .address = 1, .length = 0xFFFFFFFF}),
                 StatusCode::kMemoryRange);
  expect_refused(with({.tag = CommandTag::kProgramFuses, .address = 31, .length = 8}, Bytes(8)),
                 StatusCode::kMemoryRange);
  expect_refused(with({.tag = CommandTag::kLoadKeyBlob, .length = 48, .id = 17}, pattern(48, 1)),
                 StatusCode::kSignature);
  expect_refused(with({.tag = CommandTag::kLoadKeyBlob, .length = 48, .id = 5}, pattern(48, 1)),
                 StatusCode::kUnexpectedFileCommand);
}

TEST_F(TrustProvisioned, P06_AMakersImageIsNotAnOems) {
  CommandWriter commands;
  done(commands.add({.tag = CommandTag::kErase, .length = 4096}));
  expect_refused(oem_.make_file(session(), commands, 1, 7), StatusCode::kSecurityViolation);
}

TEST_F(TrustProvisioned, P06_AContainerOfTheLargerCurveIsRefusedByItsForm) {
  core::sb3::Header header;
  header.variant.curve = core::Curve::kP384;
  const auto key = value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP384));
  core::sb3::Certificate certificate;
  certificate.signer.assign(key.public_xy().begin(), key.public_xy().end());
  certificate.enc_oem_share = core::array_of<48>(session().share);
  CommandWriter commands;
  done(commands.add({.tag = CommandTag::kErase, .length = 4096}));
  const auto file = value(core::sb3::build_file(
      world_.crypto(), header, certificate, value(commands.blocks()),
      [](std::uint32_t, core::MutableByteView) { return core::Status{}; },
      [&](ByteView manifest) { return key.sign(world_.crypto(), {manifest}); }));
  expect_refused(file, StatusCode::kInvalidArgument);
  auto part = reopened(world_, part_medium_);
  const auto installer = value(part->install_sb3(file.size()));
  EXPECT_THAT(installer->update(file), FailsAtCheck(1, core::ErrorCode::kMalformed));
}

TEST_F(TrustProvisioned, D01_ALoadedKeyIsInThePartAndIsReadByNothing) {
  const auto key = pattern(32, 4);
  const auto wrapped = oem_.store_key((session(), key));
  const auto file = file_of(
      {{{.tag = CommandTag::kLoadKeyBlob, .address = 0x80, .length = 48, .id = 17}, wrapped}});
  EXPECT_EQ(part_.receive_file(file), StatusCode::kSuccess);
  Bytes seen = part_.read(0, kSmallFlash);
  const auto ram = part_.read(device::Ram::kStart, device::Ram::kSize);
  seen.insert(seen.end(), ram.begin(), ram.end());
  EXPECT_EQ(std::search(seen.begin(), seen.end(), key.begin(), key.begin() + 8), seen.end());
  part_.reset();
  const auto part = reopened(world_, part_medium_);
  ASSERT_NE(part->nxp_state(), nullptr);
  const auto& keys = part->nxp_state()->keys;
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys.begin()->first, 0x80U);
  EXPECT_EQ(keys.begin()->second.type, 1U);
  EXPECT_TRUE(core::equal_in_constant_time(keys.begin()->second.key.view(), key));
}

TEST_F(TrustProvisioned, D13_NoSecretLeavesThePart) {
  const auto made = session();
  const auto& family = world_.family();
  core::Bytes out = oem_.read(device::Ram::kStart, device::Ram::kSize);
  for (const auto& piece : {made.share, made.master, made.signing.blob, made.encryption.blob}) {
    out.insert(out.end(), piece.begin(), piece.end());
  }
  const auto software = core::Software{
      {}, value(core::Permissions::parse(value(core::Permissions::encode(all_permissions()))))};
  const auto held = world_.family_for(core::FamilyRole::kPart);
  const core::ProvisioningSoftware running(world_.crypto(), held, software);
  const auto share =
      value(core::DeviceHsm::take_in(world_.crypto(), running, core::array_of<48>(made.share)));
  const auto authority = value(share.authority({}));
  EXPECT_EQ(authority.signer, made.signing.public_key) << "these are the very keys";
  std::vector<ByteView> secrets = {authority.part_common_key.view(), family.k_oem_share.view(),
                                   family.k_oem_master_share->view()};
  for (const auto& one : family.shares) secrets.push_back(one.view());
  for (const auto secret : secrets) {
    const auto sample = secret.first(8);
    EXPECT_EQ(std::search(out.begin(), out.end(), sample.begin(), sample.end()), out.end());
  }
}

TEST_F(TrustProvisioned, D01_ALockedPartServesNoneOfIt) {
  OemDesk desk(world_);
  const auto file = firmware_file();
  EXPECT_EQ(part_.receive_file(desk.share_blob()), StatusCode::kSuccess);
  EXPECT_EQ(part_.receive_file(desk.package(small_plan())), StatusCode::kSuccess);
  part_.reset();
  expect_refused(file, StatusCode::kSecurityViolation);
  done(reopened(world_, part_medium_)->lock());
  expect_refused(file, StatusCode::kSecurityViolation);
  EXPECT_EQ(part_.generate_master_share(seed_), (Words{10001, 0, 0, 0}));
  EXPECT_EQ(part_.ask(Tag::kKeyProvisioning, {0}), (Words{10001, 0x15}));
}

TEST_F(TrustProvisioned, D09_AReturnedPartHasNoKeyThatOthersCouldBeMadeOf) {
  const OemDesk desk(world_);
  const auto part = ready_part(world_);
  EXPECT_THAT(part->derive_unique_key("TSDH/DICE"), Succeeds());
  done(program(*part, desk.share_blob(), desk.package(small_plan())));
  const auto challenge = value(part->make_debug_challenge());
  done(part->open_debug(debug_token(world_.crypto(), desk.key(), challenge)));
  EXPECT_THAT(part->derive_unique_key("TSDH/DICE"), FailsWith(core::ErrorCode::kLifeCycle));
}

// ---- key-provisioning and generate-key-blob.

TEST_F(TrustProvisioned, AKeyStoreIsFilledKeptAndReadAgain) {
  const auto key = pattern(32, 12);
  EXPECT_EQ(part_.ask(Tag::kKeyProvisioning, {2, 3, 32}), (Words{4, 0x15})) << "not enrolled";
  EXPECT_EQ(part_.ask(Tag::kKeyProvisioning, {4, 0}), (Words{4, 0x15})) << "nothing was written";
  EXPECT_EQ(part_.ask(Tag::kKeyProvisioning, {0}), (Words{0, 0x15}));
  EXPECT_EQ(part_.send(Tag::kKeyProvisioning, {1, 11, 32}, key), StatusCode::kSuccess);
  EXPECT_EQ(part_.ask(Tag::kKeyProvisioning, {2, 3, 32}), (Words{0, 0x15}));
  EXPECT_EQ(part_.ask(Tag::kKeyProvisioning, {3, 0}), (Words{0, 0x15}));
  part_.reset();
  EXPECT_EQ(part_.get(Tag::kKeyProvisioning, {6}).status, StatusCode::kInvalidArgument);
  EXPECT_EQ(part_.ask(Tag::kKeyProvisioning, {4, 0}), (Words{0, 0x15}));
  const auto sealed = part_.get(Tag::kKeyProvisioning, {6});
  EXPECT_EQ(sealed.status, StatusCode::kSuccess);
  EXPECT_EQ(std::search(sealed.bytes.begin(), sealed.bytes.end(), key.begin(), key.begin() + 8),
            sealed.bytes.end());
  part_.reset();
  const auto part = reopened(world_, part_medium_);
  const auto stored = value(part->stored_keys());
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->size(), 2U);
  EXPECT_TRUE(core::equal_in_constant_time(stored->key(11), key));
  EXPECT_EQ(stored->key(3).size(), 32U);
}

TEST_F(TrustProvisioned, D05_AKeyStoreGoesBackIntoThePartItCameFromAlone) {
  EXPECT_EQ(part_.ask(Tag::kKeyProvisioning, {0}), (Words{0, 0x15}));
  EXPECT_EQ(part_.send(Tag::kKeyProvisioning, {1, 11, 32}, pattern(32, 12)), StatusCode::kSuccess);
  const auto sealed = part_.get(Tag::kKeyProvisioning, {6}).bytes;
  const Words words = {5, 0, static_cast<std::uint32_t>(sealed.size())};
  part_.reset();
  EXPECT_EQ(oem_.send(Tag::kKeyProvisioning, words, sealed), StatusCode::kSignature);
  auto damaged = sealed;
  damaged.back() ^= 1;
  EXPECT_EQ(part_.send(Tag::kKeyProvisioning, words, damaged), StatusCode::kSignature);
  EXPECT_EQ(part_.get(Tag::kKeyProvisioning, {6}).status, StatusCode::kInvalidArgument);
  EXPECT_EQ(part_.send(Tag::kKeyProvisioning, words, sealed), StatusCode::kSuccess);
  EXPECT_EQ(part_.ask(Tag::kKeyProvisioning, {3, 0}), (Words{0, 0x15}));
}

TEST_F(TrustProvisioned, P03_KeyProvisioningTakesItsOwnParametersAlone) {
  EXPECT_EQ(part_.ask(Tag::kKeyProvisioning, {0}), (Words{0, 0x15}));
  for (const Words& words : {Words{0, 1}, Words{2, 3}, Words{2, 3, 15}, Words{2, 3, 72},
                             Words{2, 99, 32}, Words{3}, Words{3, 1}, Words{4, 1}, Words{6, 0},
                             Words{7}, Words{0xFFFFFFFF}, Words{1, 11, 32}, Words{5, 0, 10}}) {
    EXPECT_EQ(part_.ask(Tag::kKeyProvisioning, words), (Words{4, 0x15}));
  }
  EXPECT_EQ(part_.send(Tag::kKeyProvisioning, {1, 11, 0}, {}), StatusCode::kInvalidArgument);
  EXPECT_EQ(part_.send(Tag::kKeyProvisioning, {1, 11, 0xFFFFFFFF}, {}),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(part_.send(Tag::kKeyProvisioning, {1, 11, 17}, Bytes(17)),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(part_.send(Tag::kKeyProvisioning, {5, 1, 16}, Bytes(16)), StatusCode::kInvalidArgument);
  EXPECT_EQ(part_.send(Tag::kKeyProvisioning, {0}, {}), StatusCode::kInvalidArgument);
}

TEST_F(TrustProvisioned, AKeyBlobOpensOnItsPartAlone) {
  for (const std::uint32_t size : {16U, 24U, 32U}) {
    const auto key = pattern(size, 3);
    EXPECT_EQ(part_.send(Tag::kGenerateKeyBlob, {2, size, 0}, key), StatusCode::kSuccess);
    const auto blob = part_.get(Tag::kGenerateKeyBlob, {2, 56 + size, 1});
    EXPECT_EQ(blob.status, StatusCode::kSuccess);
    ASSERT_EQ(blob.bytes.size(), 56 + size) << "as long as NXP's";
    EXPECT_EQ(part_.get(Tag::kGenerateKeyBlob, {2, 55 + size, 1}).status,
              StatusCode::kInvalidArgument);
    EXPECT_EQ(part_.get(Tag::kGenerateKeyBlob, {1, 72, 1}).status, StatusCode::kInvalidArgument)
        << "another selection";
    part_.reset();
    EXPECT_EQ(part_.get(Tag::kGenerateKeyBlob, {2, 56 + size, 1}).status,
              StatusCode::kInvalidArgument)
        << "the key went with the power";
    part_.reset();
    const auto part = reopened(world_, part_medium_);
    EXPECT_TRUE(
        core::equal_in_constant_time(value(device::open_key_blob(*part, blob.bytes)).view(), key));
    for (std::size_t at = 0; at < blob.bytes.size(); ++at) {
      auto damaged = blob.bytes;
      damaged[at] ^= 0x10;
      EXPECT_THAT(device::open_key_blob(*part, damaged), FailsWith(core::ErrorCode::kOpenFailed));
    }
    const auto other = ready_part(world_);
    EXPECT_THAT(device::open_key_blob(*other, blob.bytes), FailsWith(core::ErrorCode::kOpenFailed));
  }
  EXPECT_EQ(part_.send(Tag::kGenerateKeyBlob, {4, 16, 0}, Bytes(16)), StatusCode::kInvalidArgument);
  EXPECT_EQ(part_.send(Tag::kGenerateKeyBlob, {0, 17, 0}, Bytes(17)), StatusCode::kInvalidArgument);
  EXPECT_EQ(part_.ask(Tag::kGenerateKeyBlob, {0, 16, 0}), (Words{4, 0x13}));
  EXPECT_EQ(part_.ask(Tag::kGenerateKeyBlob, {0, 16, 2}), (Words{4, 0x13}));
}

}  // namespace
}  // namespace tallystick::test
