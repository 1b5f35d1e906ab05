// The ROM at reset, and what the running software permits.
#include <gtest/gtest.h>

#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using core::Operation;
using device::LifeCycle;

std::unique_ptr<device::Part> part_running(const World& world,
                                           const std::vector<core::PermissionRecord>& permissions) {
  auto part = blank_part(world);
  make_ready(world, *part, world.software(1, kForPart, permissions));
  return part;
}

TEST(Roms, LatchStoredSoftwareAtReset) {
  const World world;
  const auto medium = new_medium();
  auto part = blank_part(world, "", medium);
  done(part->fill_immutable_memory(world.family_blob(core::FamilyRole::kPart, part->public_key())));
  done(part->load_software(world.software(3)));
  EXPECT_EQ(part->running(), nullptr) << "only a reset lets it run";
  EXPECT_EQ(part->info().minimum_software_version, 0U);
  EXPECT_THAT(part->reset(), Succeeds());
  ASSERT_NE(part->running(), nullptr);
  EXPECT_EQ(part->running()->version(), 3U);
  EXPECT_EQ(part->life_cycle(), LifeCycle::kProvisioning);
  part.reset();
  part = reopened(world, medium);
  ASSERT_NE(part->running(), nullptr);
  EXPECT_EQ(part->info().minimum_software_version, 3U);
}

TEST(Roms, TakeNoSoftwareBeforeTheFamilyIsThere) {
  const World world;
  auto part = blank_part(world);
  EXPECT_THAT(part->load_software(world.software()), FailsWith(ErrorCode::kLifeCycle));
}

TEST(Roms, S07_RefuseSoftwareOlderThanWhatEverRan) {
  const World world;
  auto part = ready_part(world);
  done(part->load_software(world.software(5)));
  EXPECT_THAT(part->load_software(world.software(4)), Succeeds()) << "5 has not run yet";
  done(part->load_software(world.software(5)));
  done(part->reset());
  EXPECT_THAT(part->load_software(world.software(4)), FailsAtCheck(5, ErrorCode::kRollback));
  EXPECT_THAT(part->load_software(world.software(5)), Succeeds());
  done(part->reset());
  EXPECT_EQ(part->running()->version(), 5U);
}

TEST(Roms, S07_PartsAreMadeWithAMinimumOfTheirOwn) {
  const World world;
  auto manufacture = manufacture_for(world);
  manufacture.minimum_software_version = 3;
  auto part = value(device::Part::create_in(
      world.crypto_ptr(), std::make_unique<MediumStorage>(new_medium()), manufacture));
  done(part->fill_immutable_memory(world.family_blob(core::FamilyRole::kPart, part->public_key())));
  EXPECT_THAT(part->load_software(world.software(2)), FailsAtCheck(5, ErrorCode::kRollback));
  EXPECT_THAT(part->load_software(world.software(3)), Succeeds());
}

TEST(Roms, S07_OldSoftwareDoesNotOpenSharesForNewer) {
  const World world;
  const OemDesk oem(world, 2);
  auto part = ready_part(world);
  const auto package = oem.package(small_plan());
  EXPECT_THAT(program(*part, oem.share_blob(), package),
              FailsAtCheck(3, ErrorCode::kSoftwareTooOld));
  done(part->load_software(world.software(2)));
  done(part->reset());
  EXPECT_THAT(program(*part, oem.share_blob(), package), Succeeds());
}

TEST(Roms, RefuseEveryImageThatIsNotSignedForTheseParts) {
  const World world;
  const World stranger;
  auto part = ready_part(world);
  EXPECT_THAT(part->load_software(stranger.software()), FailsAtCheck(2, ErrorCode::kBadSignature));
  EXPECT_FALSE(part->load_software(world.software(1, kForProvisioning | kForStation)).ok());
  EXPECT_FALSE(part->load_software({}).ok());
  const auto too_long = part->load_software(core::Bytes(core::kMostSoftware + 1));
  ASSERT_THAT(too_long, FailsWith(ErrorCode::kMalformed));
  EXPECT_THAT(too_long.error().message, ::testing::HasSubstr("no image is that long"));
  const auto image = world.software(2);
  for (std::size_t at = 0; at < image.size(); at += 3) {
    auto changed = image;
    changed[at] ^= 0x10;
    EXPECT_FALSE(part->load_software(changed).ok()) << "byte " << at;
  }
  done(part->reset());
  EXPECT_EQ(part->running()->version(), 1U);
}

TEST(Software, ThatDoesNotPermitInstallingInstallsNothing) {
  const World world;
  auto part = part_running(world, all_permissions_but(Operation::kInstall));
  EXPECT_THAT(part->install_package(1000), FailsWith(ErrorCode::kNotPermitted));
}

TEST(Software, ThatDoesNotPermitASuiteOpensNoPackageInIt) {
  const World world;
  const OemDesk oem(world);
  auto permissions = all_permissions_but(Operation::kOpenAssets);
  permissions.push_back(permit(Operation::kOpenAssets, 1U << 1U));
  auto part = part_running(world, permissions);
  auto plan = small_plan();
  plan.suite = core::Suite::kCcm;
  EXPECT_THAT(program(*part, oem.share_blob(), oem.package(plan)),
              FailsAtCheck(3, ErrorCode::kNotPermitted));
  plan.suite = core::Suite::kGcm;
  EXPECT_THAT(program(*part, oem.share_blob(), oem.package(plan)), Succeeds());
}

TEST(Software, ThatDoesNotProveLeavesPackagesWithoutProofs) {
  const World world;
  const OemDesk oem(world);
  auto part = part_running(world, all_permissions_but(Operation::kProve));
  const core::ByteArray<32> challenge{};
  EXPECT_THAT(program(*part, oem.share_blob(), oem.package(small_plan())), Succeeds());
  EXPECT_THAT(part->prove(challenge), FailsWith(ErrorCode::kNotPermitted));
  done(part->load_software(world.software(2)));
  done(part->reset());
  EXPECT_THAT(part->prove(challenge), FailsWith(ErrorCode::kNotPermitted))
      << "the key of the proof was never made";
  done(program(*part, oem.share_blob(), oem.package(small_plan())));
  EXPECT_THAT(part->prove(challenge), Succeeds());
}

TEST(Software, ThatDoesNotProveDoesNotProveWhatOtherSoftwareInstalled) {
  const World world;
  const OemDesk oem(world);
  auto part = ready_part(world);
  done(program(*part, oem.share_blob(), oem.package(small_plan())));
  const core::ByteArray<32> challenge{};
  EXPECT_THAT(part->prove(challenge), Succeeds());
  done(part->load_software(world.software(2, kForAll, all_permissions_but(Operation::kProve))));
  done(part->reset());
  EXPECT_THAT(part->prove(challenge), FailsWith(ErrorCode::kNotPermitted));
}

TEST(Software, ThatMovesNoLifeCycleLeavesThePartBlankAndEmpty) {
  const World world;
  auto part = part_running(world, all_permissions_but(Operation::kMoveLifeCycle));
  EXPECT_EQ(part->life_cycle(), LifeCycle::kBlank);
  EXPECT_THAT(part->install_package(1000), FailsWith(ErrorCode::kLifeCycle));
}

TEST(Software, ThatGoesStraightToLockedLocksInTheCommit) {
  const World world;
  const OemDesk oem(world);
  auto permissions = all_permissions_but(Operation::kMoveLifeCycle);
  permissions.push_back(permit_move(0, 1));
  permissions.push_back(permit_move(1, 3));
  auto part = part_running(world, permissions);
  EXPECT_THAT(part->lock(), FailsWith(ErrorCode::kLifeCycle)) << "an empty part stays open";
  EXPECT_THAT(program(*part, oem.share_blob(), oem.package(small_plan())), Succeeds());
  EXPECT_EQ(part->life_cycle(), LifeCycle::kLocked);
}

TEST(Software, ThatDoesNotPermitLockingLeavesThePartOpen) {
  const World world;
  const OemDesk oem(world);
  auto permissions = all_permissions_but(Operation::kMoveLifeCycle);
  permissions.push_back(permit_move(0, 1));
  permissions.push_back(permit_move(1, 2));
  auto part = part_running(world, permissions);
  done(program(*part, oem.share_blob(), oem.package(small_plan())));
  EXPECT_THAT(part->lock(), FailsWith(ErrorCode::kNotPermitted));
  EXPECT_EQ(part->life_cycle(), LifeCycle::kProvisioned);
}

}  // namespace
}  // namespace tallystick::test
