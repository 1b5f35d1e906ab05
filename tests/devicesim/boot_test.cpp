// The boot ROM and the two application slots: what is verified, what is chosen, what is given up,
// and what never comes back.
#include <gtest/gtest.h>

#include "tests/devicesim/support/owner.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using device::BootReport;
using device::SlotVerdict;

class Booting : public ::testing::Test {
 protected:
  core::Bytes image(std::uint32_t version, std::uint32_t floor = 0) const {
    return application_image(world_.crypto(), oem_.key(), {version, floor});
  }
  void install(std::vector<core::Bytes> images, std::uint32_t package_version = 1) {
    done(program(*part_, oem_.share_blob(),
                 oem_.package(application_plan(std::move(images), package_version))));
  }
  BootReport boot() { return value(part_->boot()); }
  void power_cycle() {
    part_.reset();
    part_ = reopened(world_, medium_);
  }
  // Flips a bit of the installed flash.
  void damage(std::uint64_t address) {
    part_.reset();
    const auto bank =
        value(device::PartFile::open(world_.crypto(), std::make_unique<MediumStorage>(medium_)))
            .take_state()
            .active_bank;
    medium_->flip(bank_range(*medium_, bank).from + address, 3);
    part_ = reopened(world_, medium_);
  }

  World world_;
  OemDesk oem_{world_};
  std::shared_ptr<Medium> medium_ = new_medium();
  std::unique_ptr<device::Part> part_ = ready_part(world_, "", medium_);
};

constexpr std::uint64_t kSecondSlot = 0x8000;

TEST_F(Booting, StartsTheApplicationOfTheHighestVersion) {
  install({image(4), image(7)});
  const auto report = boot();
  EXPECT_TRUE(report.started);
  EXPECT_EQ(report.chosen, 2U);
  EXPECT_EQ(report.chosen_slot()->header.version, 7U);
  EXPECT_EQ(report.software->version, 1U);
  EXPECT_EQ(part_->application(), 2U);
  power_cycle();
  EXPECT_FALSE(part_->application().has_value()) << "nothing runs at the bench";
  EXPECT_EQ(part_->info().boot.last, 2U) << "but it is known what ran";
}

TEST_F(Booting, HasNothingToStartWithoutAPackageOrWithoutApplications) {
  EXPECT_FALSE(boot().started);
  done(program(*part_, oem_.share_blob(), oem_.package(small_plan())));
  const auto report = boot();
  EXPECT_FALSE(report.started);
  EXPECT_TRUE(report.slots.empty());
}

TEST_F(Booting, D14_S08_FallsBackToTheOtherSlotWhateverByteIsDamaged) {
  install({image(4), image(7)});
  for (const auto& [at, verdict] : {std::pair{0ULL, SlotVerdict::kNoImage},
                                    {8ULL, SlotVerdict::kBadSignature},
                                    {12ULL, SlotVerdict::kBadSignature},
                                    {40ULL, SlotVerdict::kBadSignature},
                                    {130ULL, SlotVerdict::kBadSignature},
                                    {223ULL, SlotVerdict::kBadSignature},
                                    {224ULL, SlotVerdict::kWrongContents},
                                    {5223ULL, SlotVerdict::kWrongContents}}) {
    SCOPED_TRACE(at);
    damage(kSecondSlot + at);
    const auto report = value(part_->boot_report());
    EXPECT_EQ(report.slots.at(1).verdict, verdict);
    EXPECT_EQ(report.chosen, 1U);
    damage(kSecondSlot + at);
    EXPECT_EQ(value(part_->boot_report()).chosen, 2U) << "mended";
  }
  damage(kSecondSlot + 1000);
  EXPECT_EQ(boot().chosen, 1U);
  damage(1000);
  const auto none = boot();
  EXPECT_FALSE(none.started);
  EXPECT_FALSE(none.chosen.has_value());
  EXPECT_FALSE(part_->info().boot.last.has_value());
}

TEST_F(Booting, S04_StartsNothingThatAnotherOemSigned) {
  const OemDesk other(world_);
  const auto foreign = application_image(world_.crypto(), other.key(), {9, 0});
  install({image(1), foreign});
  const auto report = boot();
  EXPECT_EQ(report.slots.at(1).verdict, SlotVerdict::kBadSignature);
  EXPECT_EQ(report.chosen, 1U);
}

TEST_F(Booting, GivesAnApplicationUpThatNeverConfirmsItself) {
  install({image(4), image(7)});
  for (unsigned attempt = 1; attempt <= device::kBootAttempts; ++attempt) {
    power_cycle();
    const auto report = boot();
    EXPECT_EQ(report.chosen, 2U);
    EXPECT_EQ(report.chosen_slot()->attempts, attempt);
  }
  power_cycle();
  auto report = boot();
  EXPECT_EQ(report.slots.at(1).verdict, SlotVerdict::kGivenUp);
  EXPECT_EQ(report.chosen, 1U);
  done(part_->confirm_application());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(boot().chosen, 1U) << "confirmed: as often as it likes";
}

TEST_F(Booting, CountsNoAttemptsOfAConfirmedApplication) {
  install({image(4)});
  boot();
  done(part_->confirm_application());
  const auto at_rest = *medium_;
  boot();
  EXPECT_TRUE(*medium_ == at_rest) << "and writes nothing at every boot";
  EXPECT_EQ(part_->info().boot.slots.at(0), (device::ApplicationSlot{1, 0, true}));
}

TEST_F(Booting, S19_NeverStartsAVersionBelowTheFloorAgain) {
  install({image(4), image(7, 6)});
  EXPECT_EQ(boot().floor, 0U);
  done(part_->confirm_application());
  power_cycle();
  const auto report = value(part_->boot_report());
  EXPECT_EQ(report.floor, 6U);
  EXPECT_EQ(report.slots.at(0).verdict, SlotVerdict::kBelowFloor);
  // Not with an old package, and not in a new one.
  install({image(5), image(4)}, 2);
  const auto later = boot();
  EXPECT_FALSE(later.started);
  EXPECT_EQ(later.floor, 6U);
  install({image(6)}, 3);
  EXPECT_TRUE(boot().started) << "equal passes";
}

TEST_F(Booting, LetsTheFloorRiseOnlyWhenTheApplicationIsConfirmed) {
  install({image(4), image(7, 7)});
  boot();
  power_cycle();
  EXPECT_EQ(part_->info().boot.floor, 0U);
  EXPECT_EQ(value(part_->boot_report()).slots.at(0).verdict, SlotVerdict::kValid);
}

TEST_F(Booting, TakesNoWordFromAnApplicationThatDoesNotRun) {
  install({image(4)});
  EXPECT_THAT(part_->confirm_application(), FailsWith(ErrorCode::kLifeCycle));
  boot();
  power_cycle();
  EXPECT_THAT(part_->confirm_application(), FailsWith(ErrorCode::kLifeCycle));
  boot();
  done(part_->reset());
  EXPECT_THAT(part_->confirm_application(), FailsWith(ErrorCode::kLifeCycle));
}

TEST_F(Booting, StartsNothingBehindSoftwareThatTheRomRefuses) {
  install({image(4)});
  // Another image in the place of the stored one, with a digest that fits.
  part_.reset();
  {
    auto file =
        value(device::PartFile::open(world_.crypto(), std::make_unique<MediumStorage>(medium_)));
    auto state = file.take_state();
    state.software.back() ^= 1;
    done(file.commit(state));
  }
  part_ = reopened(world_, medium_);
  const auto report = boot();
  EXPECT_TRUE(report.software_error.has_value());
  EXPECT_EQ(report.slots.at(0).verdict, SlotVerdict::kValid);
  EXPECT_FALSE(report.started);
}

TEST_F(Booting, ForgetsTheAttemptsOfThePackageBefore) {
  install({image(4)});
  for (int i = 0; i < 3; ++i) boot();
  EXPECT_FALSE(boot().started);
  install({image(5)}, 2);
  const auto report = boot();
  EXPECT_TRUE(report.started);
  EXPECT_EQ(report.chosen_slot()->attempts, 1U);
}

TEST_F(Booting, RefusesAPackageWithAThirdApplication) {
  auto plan = application_plan({image(1), image(2)});
  plan.assets.push_back(flash_asset(3, "third", 0x4000, image(3)));
  EXPECT_THAT(program(*part_, oem_.share_blob(), oem_.package(plan)),
              FailsAtCheck(10, ErrorCode::kInconsistent));
  EXPECT_FALSE(part_->info().package.has_value());
  // Configurations and certificates that begin like images are none.
  plan.assets.back().entry.kind = core::AssetKind::kConfiguration;
  EXPECT_THAT(program(*part_, oem_.share_blob(), oem_.package(plan)), Succeeds());
  EXPECT_EQ(part_->info().boot.slots.size(), 2U);
}

TEST_F(Booting, FindsImagesInPiecesOfAnySizeAndInAnyOrderOfSlots) {
  auto plan = application_plan({image(1), image(2)});
  std::swap(plan.assets[0].entry.slot, plan.assets[1].entry.slot);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{100000}}) {
    done(program(*part_, oem_.share_blob(), oem_.package(plan), piece));
    ASSERT_EQ(part_->info().boot.slots.size(), 2U);
    EXPECT_EQ(part_->info().boot.slots[0].slot, 1U);
    EXPECT_EQ(boot().chosen, 1U);
  }
}

TEST_F(Booting, StartsTheConfirmedOneOfTwoEqualVersions) {
  install({image(3), image(3)});
  EXPECT_EQ(boot().chosen, 1U) << "the first, as long as none is confirmed";
  done(part_->confirm_application());
  EXPECT_EQ(boot().chosen, 1U);
}

TEST_F(Booting, GoesOnInALockedPart) {
  install({image(4), image(7)});
  done(part_->lock());
  EXPECT_EQ(boot().chosen, 2U);
  EXPECT_THAT(part_->confirm_application(), Succeeds());
}

TEST_F(Booting, IsRehearsedBeforeTheLockWhichRefusesAPartThatWouldNotStart) {
  install({image(4), image(7)});
  auto rehearsal = value(part_->rehearse_lock());
  EXPECT_FALSE(rehearsal.refused.has_value());
  EXPECT_EQ(rehearsal.starts, 2U);
  EXPECT_TRUE(rehearsal.isp_open);
  EXPECT_TRUE(rehearsal.notes.empty());
  damage(1000);
  damage(kSecondSlot + 1000);
  rehearsal = value(part_->rehearse_lock());
  ASSERT_TRUE(rehearsal.refused.has_value());
  EXPECT_EQ(rehearsal.notes.size(), 2U) << "why, for each slot";
  EXPECT_THAT(part_->lock(), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_EQ(part_->life_cycle(), device::LifeCycle::kProvisioned);
}

}  // namespace
}  // namespace tallystick::test
