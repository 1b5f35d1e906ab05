// The debug port: closed by the life cycle, opened again by the owner's signature over this part
// and this challenge, once, after everything in the part is gone.
#include <gtest/gtest.h>

#include <set>

#include "tests/devicesim/support/owner.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::Bytes;
using core::ByteView;
using core::DebugChallenge;
using core::ErrorCode;
using device::LifeCycle;
using device::Part;

class DebugPorts : public ::testing::Test {
 protected:
  DebugPorts() { done(program(*part_, oem_.share_blob(), oem_.package(plan_))); }

  DebugChallenge challenge() { return value(part_->make_debug_challenge()); }
  Bytes token(const DebugChallenge& challenge) const {
    return debug_token(world_.crypto(), oem_.key(), challenge);
  }
  unsigned tries_left() const { return part_->info().debug_tries_left; }
  void power_cycle() {
    part_.reset();
    part_ = reopened(world_, medium_);
  }
  bool readable(std::uint64_t offset = 0) {
    Bytes out(16);
    return part_->read_debug(offset, out).ok();
  }

  World world_;
  OemDesk oem_{world_};
  PackagePlan plan_ = small_plan();
  std::shared_ptr<Medium> medium_ = new_medium();
  std::unique_ptr<Part> part_ = ready_part(world_, "", medium_);
};

TEST_F(DebugPorts, D09_AreClosedByTheFirstPackage) {
  EXPECT_FALSE(readable());
  done(part_->lock());
  EXPECT_FALSE(readable());
  part_ = ready_part(world_);
  EXPECT_TRUE(readable()) << "nothing of the OEM's is in it yet";
  EXPECT_THAT(part_->make_debug_challenge(), FailsWith(ErrorCode::kLifeCycle));
  part_ = blank_part(world_);
  EXPECT_TRUE(readable());
}

TEST_F(DebugPorts, D09_OpenForTheOwnersTokenOverAPowerCut) {
  const auto id = part_->id();
  done(part_->lock());
  const auto given = token(challenge());
  power_cycle();
  EXPECT_EQ(value(part_->debug_challenge()).part_id, id);
  EXPECT_THAT(part_->open_debug(given), Succeeds());
  EXPECT_TRUE(part_->returned());
  EXPECT_TRUE(readable());
  power_cycle();
  EXPECT_TRUE(part_->returned());
  EXPECT_TRUE(readable());
  EXPECT_EQ(part_->id(), id) << "it is known which part it was";
  EXPECT_EQ(part_->life_cycle(), LifeCycle::kLocked);
}

TEST_F(DebugPorts, D09_LeaveNothingToRead) {
  const auto secrets = [&] {
    std::vector<Bytes> all;
    const auto add = [&](ByteView bytes) { all.emplace_back(bytes.begin(), bytes.end()); };
    for (const auto& asset : plan_.assets) {
      if (asset.content.size() >= 16) add(ByteView(asset.content).first(16));
    }
    for (const auto& share : world_.family().shares) add(share.view());
    add(world_.family().k_oem_share.view());
    add(oem_.proof_key(core::Suite::kGcm).view());
    add(oem_.share_blob());
    return all;
  }();
  part_.reset();
  Bytes device_key;
  {
    auto file =
        value(device::PartFile::open(world_.crypto(), std::make_unique<MediumStorage>(medium_)));
    const auto scalar = value(file.take_state().device_key->scalar());
    device_key.assign(scalar.view().begin(), scalar.view().end());
  }
  part_ = reopened(world_, medium_);
  unsigned there = 0;
  for (const auto& secret : secrets) there += medium_->contains(secret) ? 1U : 0U;
  ASSERT_GT(there, 5U) << "the search finds what is there";
  ASSERT_TRUE(medium_->contains(device_key));

  done(part_->open_debug(token(challenge())));
  for (const auto& secret : secrets) EXPECT_FALSE(medium_->contains(secret));
  EXPECT_FALSE(medium_->contains(device_key));
  Bytes all(device::bank_size(part_->memory_map()));
  EXPECT_THAT(part_->read_debug(0, all), Succeeds());
  EXPECT_TRUE(core::all_zero(all));
  EXPECT_EQ(part_->running(), nullptr);
  const auto info = part_->info();
  EXPECT_FALSE(info.family_id || info.package || info.software || info.certified);
  EXPECT_EQ(info.owner, oem_.id());
}

TEST_F(DebugPorts, D09_MakeNoProductOfAReturnedPart) {
  done(part_->open_debug(token(challenge())));
  const auto refused = FailsWith(ErrorCode::kLifeCycle);
  const auto key = Bytes(part_->public_key().begin(), part_->public_key().end());
  EXPECT_THAT(part_->fill_immutable_memory(world_.family_blob(core::FamilyRole::kPart, key)),
              refused);
  EXPECT_THAT(part_->store_certificate(world_.certificate(core::DeviceKind::kPart, key)), refused);
  EXPECT_THAT(part_->load_software(world_.software()), refused);
  EXPECT_THAT(part_->install_package(1000), refused);
  EXPECT_THAT(part_->lock(), refused);
  EXPECT_THAT(part_->blow_fuse(0, 1), refused);
  EXPECT_THAT(part_->prove(core::ByteArray<32>{}), refused);
  EXPECT_THAT(part_->use_key({}), refused);
  EXPECT_THAT(part_->make_debug_challenge(), refused);
  EXPECT_THAT(part_->change_flash(Part::FlashContents::kErased), refused);
  EXPECT_THAT(part_->reset(), Succeeds());
  EXPECT_FALSE(value(part_->boot()).started);
}

TEST_F(DebugPorts, D09_RefuseATokenThatWasUsedOrIsForAnEarlierChallenge) {
  const auto first = token(challenge());
  const auto second = challenge();
  EXPECT_THAT(part_->open_debug(first), FailsWith(ErrorCode::kConsentRefused));
  EXPECT_EQ(tries_left(), device::kDebugTries) << "that costs nothing";
  // A token whose signature does not hold spends the challenge, and so the good one comes too late.
  auto bad = token(second);
  bad.back() ^= 1;
  EXPECT_THAT(part_->open_debug(bad), FailsWith(ErrorCode::kBadSignature));
  EXPECT_THAT(part_->open_debug(token(second)), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_FALSE(part_->returned());
  EXPECT_EQ(tries_left(), device::kDebugTries - 1U);
  EXPECT_FALSE(part_->debug_challenge().ok());
}

TEST_F(DebugPorts, D09_RefuseTheTokenOfAnotherPart) {
  const auto medium = new_medium();
  const auto other = ready_part(world_, "", medium);
  done(program(*other, oem_.share_blob(), oem_.package(plan_)));
  const auto foreign = token(value(other->make_debug_challenge()));
  const auto mine = challenge();
  EXPECT_THAT(part_->open_debug(foreign), FailsWith(ErrorCode::kWrongRecipient));
  // The other part's name over this part's nonce, and the other way round.
  EXPECT_THAT(part_->open_debug(token({other->id(), mine.nonce})),
              FailsWith(ErrorCode::kWrongRecipient));
  auto moved = token({other->id(), mine.nonce});
  std::copy(mine.part_id.begin(), mine.part_id.end(), moved.begin() + 8);
  EXPECT_THAT(part_->open_debug(moved), FailsWith(ErrorCode::kBadSignature))
      << "the signature covers the part";
  EXPECT_FALSE(part_->returned());
}

TEST_F(DebugPorts, D09_D04_RefuseTheTokenOfAnotherOem) {
  const OemDesk other(world_);
  const auto mine = challenge();
  const auto foreign = debug_token(world_.crypto(), other.key(), mine);
  EXPECT_THAT(part_->open_debug(foreign), FailsWith(ErrorCode::kWrongOwner));
  // With the owner's key in it, which did not sign.
  auto claimed = foreign;
  std::copy(oem_.key().public_xy().begin(), oem_.key().public_xy().end(), claimed.begin() + 72);
  EXPECT_THAT(part_->open_debug(claimed), FailsWith(ErrorCode::kBadSignature));
  EXPECT_FALSE(part_->returned());
}

TEST_F(DebugPorts, D09_EndASearchAfterFiveGuessesForGood) {
  for (unsigned guess = 0; guess < device::kDebugTries; ++guess) {
    auto bad = token(challenge());
    bad[200 + guess] ^= static_cast<std::uint8_t>(1U << guess);
    EXPECT_THAT(part_->open_debug(bad), FailsWith(ErrorCode::kBadSignature));
    if (guess % 2 == 1) power_cycle();
    EXPECT_EQ(tries_left(), device::kDebugTries - 1U - guess) << "also over a power cut";
  }
  EXPECT_THAT(part_->make_debug_challenge(), FailsWith(ErrorCode::kNotPermitted));
  EXPECT_THAT(part_->open_debug(token({part_->id(), {}})), FailsWith(ErrorCode::kNotPermitted));
  EXPECT_FALSE(value(part_->rehearse_lock()).debug_can_be_opened);
  // Nothing gives tries back: no package, no software, no lock.
  auto newer = plan_;
  newer.version = 2;
  done(program(*part_, oem_.share_blob(), oem_.package(newer)));
  done(part_->load_software(world_.software(2)));
  done(part_->reset());
  done(part_->lock());
  power_cycle();
  EXPECT_EQ(tries_left(), 0U);
  EXPECT_THAT(part_->make_debug_challenge(), FailsWith(ErrorCode::kNotPermitted));
}

TEST_F(DebugPorts, D09_NeverSayAChallengeTwice) {
  std::set<core::ByteArray<32>> seen;
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(seen.insert(challenge().nonce).second);
}

TEST_F(DebugPorts, D09_P03_TakeExactlyTheOneForm) {
  const auto good = token(challenge());
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_THAT(part_->open_debug(ByteView(good).first(size)), FailsWith(ErrorCode::kMalformed));
  }
  auto longer = good;
  longer.push_back(0);
  EXPECT_THAT(part_->open_debug(longer), FailsWith(ErrorCode::kMalformed));
  for (std::size_t at = 0; at < 8; ++at) {
    auto bad = good;
    bad[at] ^= 1;
    EXPECT_THAT(part_->open_debug(bad), FailsWith(ErrorCode::kMalformed)) << at;
  }
  EXPECT_EQ(tries_left(), device::kDebugTries);
  EXPECT_THAT(part_->open_debug(good), Succeeds()) << "after all that";
}

TEST_F(DebugPorts, D09_P06_TakeNoOtherSignatureOfTheOwner) {
  const auto mine = challenge();
  core::DebugToken token;
  token.challenge = mine;
  token.oem_public_key = core::array_of<96>(oem_.key().public_xy());
  // The same bytes under another label, and without one.
  Bytes message = core::debug_message(mine);
  const std::string_view other = "TS1/REGEN";
  std::copy(other.begin(), other.end(), message.begin());
  token.signature = core::array_of<96>(value(oem_.key().sign(world_.crypto(), {message})));
  EXPECT_THAT(part_->open_debug(core::encode_debug_token(token)),
              FailsWith(ErrorCode::kBadSignature));
  token.challenge = challenge();
  token.signature = core::array_of<96>(value(oem_.key().sign(
      world_.crypto(), {ByteView(core::debug_message(token.challenge)).subspan(10)})));
  EXPECT_THAT(part_->open_debug(core::encode_debug_token(token)),
              FailsWith(ErrorCode::kBadSignature));
}

TEST_F(DebugPorts, D02_D14_WithMisreadFusesAreClosedAndThePartStaysOff) {
  part_.reset();
  {
    auto file =
        value(device::PartFile::open(world_.crypto(), std::make_unique<MediumStorage>(medium_)));
    auto state = file.take_state();
    state.debug.fuses = device::ReturnFuses(1ULL << 17U);
    done(file.commit(state));
  }
  part_ = reopened(world_, medium_);
  EXPECT_EQ(part_->running(), nullptr);
  EXPECT_TRUE(part_->boot_error().has_value());
  EXPECT_FALSE(readable());
  EXPECT_THAT(part_->make_debug_challenge(), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part_->install_package(1000), FailsWith(ErrorCode::kLifeCycle));
}

// No part comes to be like that by itself.
TEST_F(DebugPorts, D09_WithoutAnOwnerOpenForNobody) {
  const auto mine = challenge();
  part_.reset();
  {
    auto file =
        value(device::PartFile::open(world_.crypto(), std::make_unique<MediumStorage>(medium_)));
    auto state = file.take_state();
    state.owner.reset();
    done(file.commit(state));
  }
  part_ = reopened(world_, medium_);
  EXPECT_THAT(part_->make_debug_challenge(), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part_->open_debug(token(mine)), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_EQ(tries_left(), device::kDebugTries);
  EXPECT_FALSE(part_->returned());
}

TEST(ReturnFuses, D02_GoOneWayAndNoStuckBitMakesOneStateAnother) {
  using device::Return;
  using device::ReturnFuses;
  ReturnFuses fuses;
  EXPECT_THAT(fuses.advance(Return::kNone), FailsWith(ErrorCode::kLifeCycle));
  std::vector<std::uint64_t> codes = {fuses.bits()};
  for (const auto to : {Return::kErasing, Return::kOpen}) {
    const auto before = fuses.bits();
    EXPECT_THAT(fuses.advance(to), Succeeds());
    EXPECT_EQ(before & ~fuses.bits(), 0U) << "fuses only go from 0 to 1";
    EXPECT_EQ(fuses.state(), to);
    codes.push_back(fuses.bits());
  }
  EXPECT_THAT(fuses.advance(Return::kErasing), FailsWith(ErrorCode::kLifeCycle));
  for (const auto start : {std::uint64_t{0}, std::uint64_t{1}}) {
    ReturnFuses others(start);
    EXPECT_THAT(others.advance(Return::kDamaged), FailsWith(ErrorCode::kLifeCycle));
    EXPECT_EQ(others.bits(), start);
  }
  for (const auto code : codes) {
    for (unsigned i = 0; i < 64; ++i) {
      EXPECT_EQ(ReturnFuses(code ^ (1ULL << i)).state(), Return::kDamaged);
    }
  }
}

}  // namespace
}  // namespace tallystick::test
