// The power goes at every write and every sync of every change of state, with everything, nothing,
// some or only the latest of the unsynced sectors surviving: the part is afterwards what it was, or
// what it was going to be.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "tests/devicesim/support/parts.h"

namespace tallystick::test {

inline constexpr std::array kCuts = {Cut::kLost, Cut::kKept, Cut::kTorn, Cut::kTorn,
                                     Cut::kOvertaken};

using Change = std::function<core::Status(device::Part&)>;

inline bool any_asset_in(const Medium& medium, const PackagePlan& plan) {
  return std::any_of(plan.assets.begin(), plan.assets.end(), [&](const auto& asset) {
    return medium.contains(core::ByteView(asset.content).first(32));
  });
}

class PowerCuts : public ::testing::Test {
 protected:
  // `base` is a part at rest, `change` what is cut. `check` is given the part after its recovery,
  // the medium, and whether the change took effect. `on_the_way` are changes that leave states in
  // which a change of several steps may be cut, too.
  using Check = std::function<void(device::Part&, const Medium&, bool took_effect)>;
  void cut_everywhere(const Medium& base, const Change& change, const Check& check = {},
                      const std::vector<Change>& on_the_way = {}) {
    std::vector<Snapshot> between;
    for (const auto& part_of_it : on_the_way) between.push_back(state_after(base, part_of_it));
    const auto old_state = state_after(base, [](device::Part&) { return core::Status(); });
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
          auto part = device::Part::open_in(world_.crypto_ptr(), std::move(storage));
          if (part && watched->changes() <= again) break;
          part = core::Error{};
          medium->power_cut(cut, seed + static_cast<std::uint32_t>(again));
          ASSERT_LT(again, 100U);
        }
        auto part = reopened(world_, medium);
        const auto state = snapshot(*part);
        EXPECT_TRUE(state == old_state || state == new_state ||
                    std::ranges::find(between, state) != between.end())
            << ::testing::PrintToString(state);
        EXPECT_FALSE(claimed && state != new_state) << "success was reported and then lost";
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
    const auto old_state = state_after(base, [](device::Part&) { return core::Status(); });
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
    auto part = value(device::Part::open_in(world_.crypto_ptr(), std::move(storage)));
    open_changes_ = watched->changes();
    done(change(*part));
    return watched->changes() - open_changes_;
  }

  // Of a part whose power-on is itself what is cut.
  std::uint64_t changes_of_power_on(const Medium& base) {
    auto storage = std::make_unique<MediumStorage>(std::make_shared<Medium>(base));
    const auto* const watched = storage.get();
    const auto part = value(device::Part::open_in(world_.crypto_ptr(), std::move(storage)));
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

}  // namespace tallystick::test
