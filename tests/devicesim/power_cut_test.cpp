// The power goes at every write and every sync of every change of state, with everything, nothing,
// some or only the latest of the unsynced sectors surviving: the part is afterwards what it was, or
// what it was going to be.
#include "tests/devicesim/support/power_cuts.h"

namespace tallystick::test {
namespace {

using device::Part;

TEST_F(PowerCuts, D02_D03_InTheFirstInstallationLeaveAnEmptyPartOrAWholeOne) {
  cut_everywhere(
      ready(), [this](Part& part) { return program(part, blob_, package_one_); },
      [this](Part&, const Medium& medium, bool installed) {
        EXPECT_EQ(any_asset_in(medium, plan_one_), installed) << "nothing staged survives";
      });
}

TEST_F(PowerCuts, D02_D03_InAnUpdateLeaveTheOldPackageOrTheNewOneAndNothingOfTheOther) {
  cut_everywhere(
      provisioned(), [this](Part& part) { return program(part, blob_, package_two_); },
      [this](Part& part, const Medium& medium, bool installed) {
        EXPECT_EQ(any_asset_in(medium, plan_two_), installed);
        EXPECT_EQ(any_asset_in(medium, plan_one_), !installed);
        const auto& plan = installed ? plan_two_ : plan_one_;
        EXPECT_EQ(value(part.read_flash(0, 40000)), plan.assets[0].content);
      });
}

TEST_F(PowerCuts, D02_InTheLockLeaveThePartOpenOrLocked) {
  const Change lock = [](Part& part) { return part.lock(); };
  cut_everywhere(provisioned(), lock);
  EXPECT_EQ(count_changes(provisioned(), lock), 4U) << "two places, each written and synced";
}

TEST_F(PowerCuts, D02_InALaterChangeKeepTheEarlierOnesOfTheSession) {
  const auto base = provisioned();
  for (std::uint64_t at = 0; at < 4; ++at) {
    std::uint32_t seed = 0;
    for (const auto cut : kCuts) {
      const auto medium = std::make_shared<Medium>(base);
      {
        auto part = reopened(world_, medium, Failure{at + 4, true});
        done(part->blow_fuse(1, 0xF0));
        EXPECT_THAT(part->lock(), FailsWith(core::ErrorCode::kStorage));
      }
      medium->power_cut(cut, ++seed);
      const auto part = reopened(world_, medium);
      EXPECT_EQ(value(part->read_fuse(1)), 0xF0U) << "cut at change " << at << " of the lock";
      if (part->life_cycle() != device::LifeCycle::kLocked) {
        EXPECT_THAT(part->lock(), Succeeds());
      }
    }
  }
}

TEST_F(PowerCuts, D02_WhileAFuseIsBlownLeaveItWholeOrBlown) {
  cut_everywhere(provisioned(), [](Part& part) { return part.blow_fuse(7, 0xA5A5A5A5); });
}

TEST_F(PowerCuts, S07_WhileNewSoftwareIsLatchedKeepTheMinimumVersion) {
  auto medium = std::make_shared<Medium>(ready());
  done(reopened(world_, medium)->load_software(world_.software(4)));
  // Opening the part is the change here: the ROM raises the minimum before the software runs.
  const auto total = changes_of_power_on(*medium);
  ASSERT_GT(total, 0U);
  for (std::uint64_t at = 0; at < total; ++at) {
    for (const auto cut : kCuts) {
      auto copy = std::make_shared<Medium>(*medium);
      EXPECT_THAT(Part::open_in(world_.crypto_ptr(),
                                std::make_unique<MediumStorage>(copy, Failure{at, true})),
                  FailsWith(core::ErrorCode::kStorage))
          << "software must not run on a minimum that is not yet durable";
      copy->power_cut(cut, static_cast<std::uint32_t>(at));
      auto part = reopened(world_, copy);
      EXPECT_EQ(part->running()->version(), 4U);
      EXPECT_EQ(part->info().minimum_software_version, 4U);
      const auto state = snapshot(*part);
      part.reset();
      expect_in_both_places(*copy, state, static_cast<std::uint32_t>(at));
    }
  }
}

TEST_F(PowerCuts, AtTheFirstPowerOnLeaveOneIdentity) {
  const auto manufacture = manufacture_for(world_);
  const auto medium = new_medium();
  MediumStorage storage(medium);
  done(device::PartFile::format(world_.crypto(), storage,
                                device::PartState{device::ImmutableMemory(manufacture)}));
  const auto total = changes_of_power_on(*medium);
  ASSERT_GT(total, 0U);
  for (std::uint64_t at = 0; at < total; ++at) {
    for (const auto cut : kCuts) {
      auto copy = std::make_shared<Medium>(*medium);
      EXPECT_FALSE(Part::open_in(world_.crypto_ptr(),
                                 std::make_unique<MediumStorage>(copy, Failure{at, true}))
                       .ok());
      copy->power_cut(cut, static_cast<std::uint32_t>(at));
      const auto id = reopened(world_, copy)->id();
      EXPECT_EQ(reopened(world_, copy)->id(), id);
    }
  }
}

TEST_F(PowerCuts, WhileTheImmutableMemoryIsFilledLeaveItEmptyOrFilledOnce) {
  const auto medium = new_medium();
  core::Bytes key;
  {
    const auto part = blank_part(world_, "", medium);
    key.assign(part->public_key().begin(), part->public_key().end());
  }
  const auto blob = world_.family_blob(core::FamilyRole::kPart, key);
  const auto total =
      count_changes(*medium, [&](Part& part) { return part.fill_immutable_memory(blob); });
  ASSERT_GT(total, 0U);
  for (std::uint64_t at = 0; at < total; ++at) {
    for (const auto cut : kCuts) {
      auto copy = std::make_shared<Medium>(*medium);
      EXPECT_THAT(reopened(world_, copy, Failure{at, true})->fill_immutable_memory(blob),
                  FailsWith(core::ErrorCode::kStorage));
      copy->power_cut(cut, static_cast<std::uint32_t>(at));
      auto part = reopened(world_, copy);
      if (part->info().family_id) {
        EXPECT_THAT(part->fill_immutable_memory(blob), FailsWith(core::ErrorCode::kAlreadyPresent));
      } else {
        EXPECT_THAT(part->fill_immutable_memory(blob), Succeeds());
      }
    }
  }
}

TEST_F(PowerCuts, FailingWritesAreReportedAndLeaveTheOldStateOrTheNew) {
  fail_everywhere(ready(), [this](Part& part) { return program(part, blob_, package_one_); });
  fail_everywhere(provisioned(), [this](Part& part) { return program(part, blob_, package_two_); });
  fail_everywhere(provisioned(), [](Part& part) { return part.lock(); });
}

TEST_F(PowerCuts, AfterAFailedCommitThePartWantsAPowerCycle) {
  for (std::uint64_t at = 0; at < 4; ++at) {
    const auto medium = std::make_shared<Medium>(provisioned());
    auto part = reopened(world_, medium, Failure{at, false});
    EXPECT_THAT(part->lock(), FailsWith(core::ErrorCode::kStorage)) << "change " << at;
    EXPECT_THAT(part->lock(), FailsWith(core::ErrorCode::kStorage));
    EXPECT_THAT(part->blow_fuse(0, 1), FailsWith(core::ErrorCode::kStorage));
    part.reset();
    part = reopened(world_, medium);
    if (part->life_cycle() != device::LifeCycle::kLocked) {
      EXPECT_THAT(part->lock(), Succeeds());
    }
  }
}

}  // namespace
}  // namespace tallystick::test
