#include <gtest/gtest.h>

#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;

constexpr core::ByteArray<32> kAsked{7, 7, 7};

class Proving : public ::testing::Test {
 protected:
  core::Proof prove() {
    auto proof = value(core::parse_proof(value(part_->prove(kAsked))));
    const auto key =
        value(core::EcPublicKey::from_xy(world_.crypto(), core::Curve::kP256, part_->public_key()));
    EXPECT_THAT(core::check_proof_signature(world_.crypto(), kAsked, key, proof), Succeeds());
    return proof;
  }

  // The slots' MACs against the original contents, as the OEM checks them.
  void expect_holds(const core::Proof& proof, const PackagePlan& plan) {
    ASSERT_EQ(proof.slots.size(), plan.assets.size());
    for (std::size_t i = 0; i < plan.assets.size(); ++i) {
      const auto& asset = plan.assets[i];
      const auto slot = std::find_if(proof.slots.begin(), proof.slots.end(),
                                     [&](const auto& s) { return s.slot == asset.entry.slot; });
      ASSERT_NE(slot, proof.slots.end());
      EXPECT_EQ(slot->mac, expected_mac(world_, oem_, plan, package_, i, proof.part_id, kAsked))
          << asset.entry.name;
    }
  }

  World world_;
  OemDesk oem_{world_};
  PackagePlan plan_ = small_plan(3);
  core::Bytes package_ = oem_.package(plan_);
  std::shared_ptr<Medium> medium_ = new_medium();
  std::unique_ptr<device::Part> part_ = ready_part(world_, "", medium_);
};

TEST_F(Proving, WithNothingInstalledShowsThePartAlone) {
  const auto proof = prove();
  EXPECT_EQ(proof.part_id, part_->id());
  EXPECT_EQ(proof.life_cycle, 1);
  EXPECT_EQ(proof.software_version, 1U);
  EXPECT_EQ(proof.suite, 0);
  EXPECT_EQ(proof.package_version, 0U);
  EXPECT_TRUE(core::all_zero(proof.context));
  EXPECT_TRUE(proof.slots.empty());
}

TEST_F(Proving, HoldsForTheOriginalContentsBeforeAndAfterTheLock) {
  done(program(*part_, oem_.share_blob(), package_));
  auto proof = prove();
  EXPECT_EQ(proof.life_cycle, 2);
  EXPECT_EQ(proof.context, oem_.context().encode());
  EXPECT_EQ(proof.package_version, 3U);
  expect_holds(proof, plan_);
  done(part_->lock());
  part_.reset();
  part_ = reopened(world_, medium_);
  proof = prove();
  EXPECT_EQ(proof.life_cycle, 3);
  expect_holds(proof, plan_);
}

TEST_F(Proving, GivesSlotsInRisingOrder) {
  done(program(*part_, oem_.share_blob(), package_));
  const auto proof = prove();
  EXPECT_TRUE(std::is_sorted(proof.slots.begin(), proof.slots.end(),
                             [](const auto& a, const auto& b) { return a.slot < b.slot; }));
}

TEST_F(Proving, ReadsTheContentsAgainFromTheirPlaces) {
  done(program(*part_, oem_.share_blob(), package_));
  const auto before = prove();
  // One bit of the firmware, and one of the key that is entry 5, in the bank in force.
  const auto bank = bank_range(*medium_, 1);
  medium_->flip(bank.from + 39999, 0);
  medium_->flip(bank.from + kSmallFlash + 5 * device::kKeyRoom, 7);
  const auto after = prove();
  for (std::size_t i = 0; i < before.slots.size(); ++i) {
    const auto slot = before.slots[i].slot;
    EXPECT_EQ(before.slots[i].mac != after.slots[i].mac, slot == 7 || slot == 6) << slot;
  }
}

TEST_F(Proving, TakesChallengesOf32Bytes) {
  EXPECT_THAT(part_->prove(core::Bytes(31)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(part_->prove(core::Bytes(33)), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(part_->prove({}), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(Proving, D06_IsFreshAndBelongsToOnePart) {
  const auto raw = value(part_->prove(kAsked));
  const auto proof = value(core::parse_proof(raw));
  const auto key =
      value(core::EcPublicKey::from_xy(world_.crypto(), core::Curve::kP256, part_->public_key()));
  const core::ByteArray<32> another{8};
  EXPECT_THAT(core::check_proof_signature(world_.crypto(), another, key, proof),
              FailsWith(ErrorCode::kProofRefused))
      << "a replayed proof";
  const auto other = ready_part(world_);
  const auto other_key =
      value(core::EcPublicKey::from_xy(world_.crypto(), core::Curve::kP256, other->public_key()));
  EXPECT_THAT(core::check_proof_signature(world_.crypto(), kAsked, other_key, proof),
              FailsWith(ErrorCode::kProofRefused))
      << "the proof of another part";
}

}  // namespace
}  // namespace tallystick::test
