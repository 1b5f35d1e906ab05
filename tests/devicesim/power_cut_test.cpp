// The power goes at every write and every sync of every change of state, with everything, nothing,
// some or only the latest of the unsynced sectors surviving: the part is afterwards what it was, or
// what it was going to be.
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using device::Part;

constexpr std::array kCuts = {Cut::kLost, Cut::kKept, Cut::kTorn, Cut::kTorn, Cut::kOvertaken};

using Change = std::function<core::Status(Part&)>;

class PowerCuts : public ::testing::Test {
 protected:
  // `base` is a part at rest, `change` what is cut. `check` is given the part after its recovery,
  // the medium, and whether the change took effect.
  using Check = std::function<void(Part&, const Medium&, bool took_effect)>;
  void cut_everywhere(const Medium& base, const Change& change, const Check& check = {}) {
    const auto old_state = state_after(base, [](Part&) { return core::Status(); });
    const auto new_state = state_after(base, change);
    ASSERT_NE(old_state, new_state);
    const auto total = count_changes(base, change);
    ASSERT_GT(total, 1U);
    unsigned took_effect = 0;
    unsigned did_not = 0;
    for (std::uint64_t at = 0; at < total; ++at) {
      std::uint32_t seed = 0;
      for (const auto cut : kCuts) {
        SCOPED_TRACE("cut at change " + std::to_string(at) + " of " + std::to_string(total) +
                     ", variant " + std::to_string(seed));
        const auto medium = std::make_shared<Medium>(base);
        bool claimed = false;
        {
          auto part = reopened(world_, medium, Failure{at + open_changes_, true});
          claimed = change(*part).ok();
        }
        medium->power_cut(cut, static_cast<std::uint32_t>(at) * 31 + seed);
        ++seed;
        // Recovery is itself cut, at each of its changes, before it is let through.
        for (std::uint64_t again = 0;; ++again) {
          auto storage = std::make_unique<MediumStorage>(medium, Failure{again, true});
          const auto* const watched = storage.get();
          auto part = Part::open_in(world_.crypto_ptr(), std::move(storage));
          if (part && watched->changes() <= again) break;
          part = core::Error{};
          medium->power_cut(cut, seed + static_cast<std::uint32_t>(again));
          ASSERT_LT(again, 100U);
        }
        auto part = reopened(world_, medium);
        const auto state = snapshot(*part);
        EXPECT_TRUE(state == old_state || state == new_state) << ::testing::PrintToString(state);
        EXPECT_FALSE(claimed && state == old_state) << "success was reported and then lost";
        const bool effect = state == new_state;
        ++(effect ? took_effect : did_not);
        part.reset();
        expect_in_both_places(*medium, state, seed);
        part = reopened(world_, medium);
        if (check) check(*part, *medium, effect);
        // Not stuck half way: the change can still be made, or has been.
        if (!effect) {
          EXPECT_THAT(change(*part), Succeeds());
          EXPECT_EQ(snapshot(*part), new_state);
        }
      }
    }
    EXPECT_GT(took_effect, 0U);
    EXPECT_GT(did_not, 0U);
  }

  // What a part showed, it still shows after the loss of either state place.
  void expect_in_both_places(const Medium& medium, const Snapshot& state, std::uint32_t seed) {
    for (unsigned place = 0; place < 2; ++place) {
      const auto copy = std::make_shared<Medium>(medium);
      const auto record = record_range(medium, place);
      copy->flip(record.from + seed * 7919U % (record.end - record.from), seed % 8);
      EXPECT_EQ(snapshot(*reopened(world_, copy)), state) << "place " << place;
    }
  }

  // A write that fails without the power going: the call says so, and the next power-on finds the
  // old state or the new one.
  void fail_everywhere(const Medium& base, const Change& change) {
    const auto old_state = state_after(base, [](Part&) { return core::Status(); });
    const auto new_state = state_after(base, change);
    const auto total = count_changes(base, change);
    for (std::uint64_t at = 0; at < total; ++at) {
      SCOPED_TRACE("failure at change " + std::to_string(at));
      const auto medium = std::make_shared<Medium>(base);
      auto part = reopened(world_, medium, Failure{at + open_changes_, false});
      const auto result = change(*part);
      EXPECT_THAT(result, FailsWith(core::ErrorCode::kStorage));
      const auto shown = snapshot(*part);
      EXPECT_TRUE(shown == old_state || shown == new_state);
      part.reset();
      const auto state = snapshot(*reopened(world_, medium));
      EXPECT_TRUE(state == old_state || state == new_state);
      EXPECT_FALSE(shown == new_state && state == old_state) << "shown, and then lost";
    }
  }

  Snapshot state_after(const Medium& base, const Change& change) {
    const auto medium = std::make_shared<Medium>(base);
    auto part = reopened(world_, medium);
    done(change(*part));
    return snapshot(*part);
  }

  std::uint64_t count_changes(const Medium& base, const Change& change) {
    const auto medium = std::make_shared<Medium>(base);
    auto storage = std::make_unique<MediumStorage>(medium);
    const auto* const watched = storage.get();
    auto part = value(Part::open_in(world_.crypto_ptr(), std::move(storage)));
    open_changes_ = watched->changes();
    done(change(*part));
    return watched->changes() - open_changes_;
  }

  // Of a part whose power-on is itself what is cut.
  std::uint64_t changes_of_power_on(const Medium& base) {
    auto storage = std::make_unique<MediumStorage>(std::make_shared<Medium>(base));
    const auto* const watched = storage.get();
    const auto part = value(Part::open_in(world_.crypto_ptr(), std::move(storage)));
    return watched->changes();
  }

  Medium ready() {
    auto medium = new_medium();
    ready_part(world_, "", medium);
    return *medium;
  }
  Medium provisioned() {
    auto medium = std::make_shared<Medium>(ready());
    done(program(*reopened(world_, medium), blob_, package_one_));
    return *medium;
  }

  World world_;
  OemDesk oem_{world_};
  PackagePlan plan_one_ = small_plan(1, 1);
  PackagePlan plan_two_ = small_plan(2, 50);
  core::Bytes blob_ = oem_.share_blob();
  core::Bytes package_one_ = oem_.package(plan_one_);
  core::Bytes package_two_ = oem_.package(plan_two_);
  std::uint64_t open_changes_ = 0;
};

bool any_asset_in(const Medium& medium, const PackagePlan& plan) {
  return std::any_of(plan.assets.begin(), plan.assets.end(), [&](const auto& asset) {
    return medium.contains(core::ByteView(asset.content).first(32));
  });
}

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
