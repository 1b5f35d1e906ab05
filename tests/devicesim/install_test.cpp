#include <gtest/gtest.h>

#include "core/ts1/proof.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using device::LifeCycle;

class Installing : public ::testing::Test {
 protected:
  World world_;
  OemDesk oem_{world_};
  std::shared_ptr<Medium> medium_ = new_medium();
  std::unique_ptr<device::Part> part_ = ready_part(world_, "", medium_);
};

TEST_F(Installing, PutsEveryAssetInItsPlaceAndKeepsItOverPowerOff) {
  const auto plan = small_plan(4);
  ASSERT_THAT(program(*part_, oem_.share_blob(), oem_.package(plan)), Succeeds());
  EXPECT_EQ(part_->life_cycle(), LifeCycle::kProvisioned);
  part_.reset();
  part_ = reopened(world_, medium_);
  const auto info = part_->info();
  EXPECT_EQ(info.owner, oem_.id());
  EXPECT_EQ(info.minimum_package_version, 4U);
  ASSERT_EQ(info.assets.size(), plan.assets.size());
  for (const auto& asset : plan.assets) {
    if (asset.entry.is_key() || (asset.entry.flags & core::kAssetWriteOnly) != 0) continue;
    EXPECT_EQ(value(part_->read_flash(asset.entry.address, asset.content.size())), asset.content)
        << asset.entry.name;
  }
}

TEST_F(Installing, WorksInSuiteTwoWithABlobOfTheOtherSuite) {
  auto plan = small_plan();
  plan.suite = core::Suite::kCcm;
  EXPECT_THAT(program(*part_, oem_.share_blob(core::Suite::kGcm), oem_.package(plan)), Succeeds());
  EXPECT_THAT(program(*part_, oem_.share_blob(core::Suite::kCcm), oem_.package(small_plan())),
              Succeeds());
}

TEST_F(Installing, TakesTheStreamInPiecesOfAnySize) {
  const auto package = oem_.package(small_plan());
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{127}, std::size_t{16384}, package.size()}) {
    EXPECT_THAT(program(*part_, oem_.share_blob(), package, piece), Succeeds()) << piece;
  }
}

TEST_F(Installing, TakesABlobForThisPartAndNoneForAnother) {
  const auto package = oem_.package(small_plan());
  const auto other = ready_part(world_);
  const auto blob = oem_.device_blob(part_->public_key());
  EXPECT_THAT(program(*other, blob, package), FailsAtCheck(4, ErrorCode::kWrongRecipient));
  EXPECT_THAT(program(*part_, blob, package), Succeeds());
}

TEST_F(Installing, RefusesABlobOfRoleOneInACountedFamily) {
  const World counted({core::kFamilyCounted, 0});
  const OemDesk oem(counted);
  auto part = ready_part(counted);
  const auto package = oem.package(small_plan());
  // The provisioning device makes none either; one from an uncounted twin would look like this.
  auto header = core::ShareBlobHeader{core::BlobRole::kShare, core::Suite::kGcm, oem.context()};
  const auto blob = value(core::seal_share_blob(counted.crypto(), header.suite, header.context,
                                                counted.family().k_oem_share.view(),
                                                oem.share().oem_share.view()));
  EXPECT_THAT(program(*part, blob, package), FailsAtCheck(4, ErrorCode::kCountedFamily));
  EXPECT_THAT(program(*part, oem.device_blob(part->public_key()), package), Succeeds());
}

TEST_F(Installing, S04_D04_RefusesAnotherOemOnAnOwnedPart) {
  done(program(*part_, oem_.share_blob(), oem_.package(small_plan(1))));
  const auto before = snapshot(*part_);
  const OemDesk stranger(world_);
  EXPECT_THAT(program(*part_, stranger.share_blob(), stranger.package(small_plan(2))),
              FailsAtCheck(6, ErrorCode::kWrongOwner));
  EXPECT_EQ(snapshot(*part_), before);
  // The owner may come with another share set.
  const OemDesk again(world_, 1, &oem_.key());
  EXPECT_THAT(program(*part_, again.share_blob(), again.package(small_plan(2))), Succeeds());
}

TEST_F(Installing, RefusesAPackageWithTheBlobOfAnotherShareSet) {
  const OemDesk again(world_, 1, &oem_.key());
  EXPECT_THAT(program(*part_, again.share_blob(), oem_.package(small_plan())),
              FailsAtCheck(4, ErrorCode::kShareRefused));
  EXPECT_THAT(program(*part_, {}, oem_.package(small_plan())),
              FailsAtCheck(4, ErrorCode::kMalformed));
}

TEST_F(Installing, S19_RefusesOlderPackagesAndAssetsAndTakesEqualOnes) {
  done(program(*part_, oem_.share_blob(), oem_.package(small_plan(5))));
  EXPECT_THAT(program(*part_, oem_.share_blob(), oem_.package(small_plan(4))),
              FailsAtCheck(9, ErrorCode::kRollback));
  EXPECT_THAT(program(*part_, oem_.share_blob(), oem_.package(small_plan(5, 77))), Succeeds());
  auto plan = small_plan(6);
  plan.assets[3].entry.asset_version = 4;
  EXPECT_THAT(program(*part_, oem_.share_blob(), oem_.package(plan)),
              FailsAtCheck(9, ErrorCode::kRollback));
  EXPECT_EQ(part_->info().minimum_package_version, 5U);
}

TEST_F(Installing, S19_RemembersTheVersionOfAnAssetThatALaterPackageLeftOut) {
  done(program(*part_, oem_.share_blob(), oem_.package(small_plan(5))));
  auto plan = small_plan(6);
  plan.assets.resize(1);
  done(program(*part_, oem_.share_blob(), oem_.package(plan)));
  part_.reset();
  part_ = reopened(world_, medium_);
  plan = small_plan(7);
  plan.assets[1].entry.asset_version = 4;
  EXPECT_THAT(program(*part_, oem_.share_blob(), oem_.package(plan)),
              FailsAtCheck(9, ErrorCode::kRollback));
}

TEST_F(Installing, S19_RefusesAnAssetWhoseVersionThePartCouldNotRemember) {
  part_.reset();
  {
    auto file =
        value(device::PartFile::open(world_.crypto(), std::make_unique<MediumStorage>(medium_)));
    auto state = file.take_state();
    for (std::uint16_t id = 1000; state.minimum_asset_versions.size() + 1 < device::kMostAssetIds;
         ++id) {
      state.minimum_asset_versions[id] = 1;
    }
    done(file.commit(state));
  }
  part_ = reopened(world_, medium_);
  const auto before = snapshot(*part_);
  PackagePlan plan;
  plan.assets = {flash_asset(1, "one", 0, pattern(100, 1)),
                 flash_asset(2, "another", 1000, pattern(100, 2))};
  EXPECT_THAT(program(*part_, oem_.share_blob(), oem_.package(plan)),
              FailsAtCheck(9, ErrorCode::kInconsistent));
  EXPECT_EQ(snapshot(*part_), before);
  plan.assets.pop_back();
  EXPECT_THAT(program(*part_, oem_.share_blob(), oem_.package(plan)), Succeeds());
  plan.assets.push_back(flash_asset(1000, "a known one", 1000, pattern(100, 2)));
  EXPECT_THAT(program(*part_, oem_.share_blob(), oem_.package(plan)), Succeeds());
}

TEST_F(Installing, S20_RefusesAPackageForAnotherProduct) {
  auto meter = ready_part(world_, "meter");
  auto plan = small_plan();
  plan.product = "pump";
  EXPECT_THAT(program(*meter, oem_.share_blob(), oem_.package(plan)),
              FailsAtCheck(8, ErrorCode::kWrongProduct));
  EXPECT_THAT(program(*meter, oem_.share_blob(), oem_.package(small_plan())),
              FailsAtCheck(8, ErrorCode::kWrongProduct));
  plan.product = "meter";
  EXPECT_THAT(program(*meter, oem_.share_blob(), oem_.package(plan)), Succeeds());
  EXPECT_THAT(program(*part_, oem_.share_blob(), oem_.package(plan)), Succeeds())
      << "a part without a product takes any";
}

TEST_F(Installing, S20_RefusesAPackageForAnotherFamily) {
  const World elsewhere;
  const OemDesk oem(elsewhere);
  EXPECT_THAT(program(*part_, oem.share_blob(), oem.package(small_plan())),
              FailsAtCheck(2, ErrorCode::kWrongFamily));
}

TEST_F(Installing, S17_ShowsTheOldAssetsUntilTheCommit) {
  const auto old_plan = small_plan(1, 1);
  done(program(*part_, oem_.share_blob(), oem_.package(old_plan)));
  const auto before = snapshot(*part_);
  const auto package = oem_.package(small_plan(2, 50));
  auto installer = value(part_->install_package(package.size()));
  for (std::size_t at = 0; at < package.size(); at += 4096) {
    done(installer->update(
        core::ByteView(package).subspan(at, std::min<std::size_t>(4096, package.size() - at))));
    EXPECT_EQ(snapshot(*part_), before);
    EXPECT_EQ(value(part_->read_flash(0, 40000)), old_plan.assets[0].content);
  }
  done(installer->finish());
  EXPECT_NE(snapshot(*part_), before);
  EXPECT_NE(value(part_->read_flash(0, 40000)), old_plan.assets[0].content);
}

TEST_F(Installing, S17_ErasesWhatItStagedWhenItIsDropped) {
  const auto package = oem_.package(small_plan());
  done(part_->load_share_blob(oem_.share_blob()));
  const auto bank = bank_range(*medium_, 1);
  auto installer = value(part_->install_package(package.size()));
  done(installer->update(core::ByteView(package).first(package.size() - 1)));
  medium_->sync();
  EXPECT_TRUE(medium_->has_data(bank.from, bank.end));
  installer.reset();
  EXPECT_FALSE(medium_->has_data(bank.from, bank.end));
}

TEST_F(Installing, ErasesTheOldAssetsAfterTheCommit) {
  const auto old_plan = small_plan(1, 1);
  done(program(*part_, oem_.share_blob(), oem_.package(old_plan)));
  for (const auto& asset : old_plan.assets) {
    EXPECT_TRUE(medium_->contains(core::ByteView(asset.content).first(32))) << asset.entry.name;
  }
  done(program(*part_, oem_.share_blob(), oem_.package(small_plan(2, 50))));
  for (const auto& asset : old_plan.assets) {
    EXPECT_FALSE(medium_->contains(core::ByteView(asset.content).first(32))) << asset.entry.name;
  }
}

TEST_F(Installing, IsEndedByAReset) {
  const auto package = oem_.package(small_plan());
  done(part_->load_share_blob(oem_.share_blob()));
  const auto before = snapshot(*part_);
  auto installer = value(part_->install_package(package.size()));
  done(installer->update(core::ByteView(package).first(package.size() - 100)));
  done(part_->reset());
  const auto bank = bank_range(*medium_, 1);
  EXPECT_FALSE(medium_->has_data(bank.from, bank.end));
  EXPECT_THAT(installer->update(core::ByteView(package).last(100)),
              FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(installer->finish(), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_EQ(snapshot(*part_), before);
  EXPECT_THAT(program(*part_, oem_.share_blob(), package), Succeeds());
}

TEST_F(Installing, SurvivesThePartGoingAwayFirst) {
  const auto package = oem_.package(small_plan());
  done(part_->load_share_blob(oem_.share_blob()));
  auto installer = value(part_->install_package(package.size()));
  done(installer->update(core::ByteView(package).first(5000)));
  part_.reset();
  EXPECT_THAT(installer->update(core::ByteView(package).subspan(5000)),
              FailsWith(ErrorCode::kLifeCycle));
}

TEST_F(Installing, IsDoneByOneAtATimeAndNothingElseMeanwhile) {
  const auto package = oem_.package(small_plan());
  auto installer = value(part_->install_package(package.size()));
  EXPECT_THAT(part_->install_package(package.size()), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part_->load_share_blob(oem_.share_blob()), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part_->load_software(world_.software()), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part_->blow_fuse(0, 1), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part_->lock(), FailsWith(ErrorCode::kLifeCycle));
  installer.reset();
  EXPECT_THAT(program(*part_, oem_.share_blob(), package), Succeeds());
}

TEST_F(Installing, TakesNothingAfterItsEnd) {
  const auto package = oem_.package(small_plan());
  done(part_->load_share_blob(oem_.share_blob()));
  auto installer = value(part_->install_package(package.size()));
  done(installer->update(package));
  done(installer->finish());
  EXPECT_THAT(installer->finish(), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(installer->update(package), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part_->lock(), Succeeds()) << "the part is free again";
}

TEST_F(Installing, KeepsItsShareBlobForFurtherPackages) {
  done(program(*part_, oem_.share_blob(), oem_.package(small_plan(1))));
  part_.reset();
  part_ = reopened(world_, medium_);
  const auto package = oem_.package(small_plan(2));
  auto installer = value(part_->install_package(package.size()));
  done(installer->update(package));
  EXPECT_THAT(installer->finish(), Succeeds());
}

TEST_F(Installing, LimitsTheShareBlob) {
  EXPECT_THAT(part_->load_share_blob(core::Bytes(core::kMostShareBlob)), Succeeds());
  EXPECT_THAT(part_->load_share_blob(core::Bytes(core::kMostShareBlob + 1)),
              FailsWith(ErrorCode::kMalformed));
}

TEST_F(Installing, IsRefusedByALockedPart) {
  done(program(*part_, oem_.share_blob(), oem_.package(small_plan(1))));
  done(part_->lock());
  const auto before = snapshot(*part_);
  const auto medium = *medium_;
  EXPECT_EQ(part_->life_cycle(), LifeCycle::kLocked);
  EXPECT_THAT(part_->lock(), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part_->load_share_blob(oem_.share_blob()), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part_->install_package(1000), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part_->load_software(world_.software(2)), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(
      part_->store_certificate(world_.certificate(core::DeviceKind::kPart, part_->public_key())),
      FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part_->fill_immutable_memory(
                  world_.family_blob(core::FamilyRole::kPart, part_->public_key())),
              FailsWith(ErrorCode::kLifeCycle));
  EXPECT_EQ(snapshot(*part_), before);
  EXPECT_TRUE(*medium_ == medium);
  part_.reset();
  part_ = reopened(world_, medium_);
  EXPECT_EQ(part_->life_cycle(), LifeCycle::kLocked);
  EXPECT_THAT(part_->install_package(1000), FailsWith(ErrorCode::kLifeCycle));
}

TEST_F(Installing, D13_LetsNothingTravelInClear) {
  const auto plan = small_plan();
  auto traffic = oem_.package(plan);
  for (const auto& blob : {oem_.share_blob(), oem_.device_blob(part_->public_key()),
                           world_.family_blob(core::FamilyRole::kPart, part_->public_key())}) {
    traffic.insert(traffic.end(), blob.begin(), blob.end());
  }
  const auto travels = [&traffic](core::ByteView secret) {
    return std::search(traffic.begin(), traffic.end(), secret.begin(), secret.end()) !=
           traffic.end();
  };
  for (const auto& asset : plan.assets) {
    EXPECT_FALSE(travels(core::ByteView(asset.content).first(16))) << asset.entry.name;
  }
  EXPECT_FALSE(travels(oem_.share().oem_share.view().first(16)));
  EXPECT_FALSE(travels(world_.family().k_oem_share.view().first(16)));
  for (const auto& share : world_.family().shares) EXPECT_FALSE(travels(share.view().first(16)));
  EXPECT_TRUE(travels(core::bytes_of("TSPK"))) << "the search finds what is there";
}

}  // namespace
}  // namespace tallystick::test
