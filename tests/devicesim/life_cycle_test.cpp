#include "devicesim/life_cycle.h"

#include <gtest/gtest.h>

#include "devicesim/fuses.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using device::LifeCycle;
using device::LifeCycleFuses;

constexpr std::array kStates = {LifeCycle::kBlank, LifeCycle::kProvisioning,
                                LifeCycle::kProvisioned, LifeCycle::kLocked};

LifeCycleFuses fuses_in(LifeCycle state) {
  LifeCycleFuses fuses;
  if (state != LifeCycle::kBlank) done(fuses.advance(state));
  return fuses;
}

TEST(LifeCycles, D02_GoOneWayOnly) {
  for (const auto from : kStates) {
    for (const auto to : kStates) {
      auto fuses = fuses_in(from);
      ASSERT_EQ(fuses.state(), from);
      if (to > from) {
        EXPECT_THAT(fuses.advance(to), Succeeds());
        EXPECT_EQ(fuses.state(), to);
      } else {
        EXPECT_THAT(fuses.advance(to), FailsWith(ErrorCode::kLifeCycle));
        EXPECT_EQ(fuses.state(), from);
      }
    }
  }
}

TEST(LifeCycles, D02_BlowFusesAndNeverMendThem) {
  for (const auto from : kStates) {
    for (const auto to : kStates) {
      if (to <= from) continue;
      const auto before = fuses_in(from).bits();
      auto fuses = fuses_in(from);
      done(fuses.advance(to));
      EXPECT_EQ(before & ~fuses.bits(), 0U);
      EXPECT_EQ(fuses.bits(), fuses_in(to).bits());
    }
  }
}

TEST(LifeCycles, D02_NoStuckBitsMakeOneStateAnother) {
  for (const auto state : kStates) {
    const auto bits = fuses_in(state).bits();
    for (unsigned i = 0; i < 64; ++i) {
      const auto once = bits ^ (1ULL << i);
      EXPECT_EQ(LifeCycleFuses(once).state(), LifeCycle::kDamaged);
      for (unsigned j = i + 1; j < 64; ++j) {
        EXPECT_EQ(LifeCycleFuses(once ^ (1ULL << j)).state(), LifeCycle::kDamaged);
      }
    }
  }
}

TEST(LifeCycles, DamagedFusesAdvanceNowhere) {
  for (const auto to : kStates) {
    LifeCycleFuses fuses(1);
    EXPECT_THAT(fuses.advance(to), FailsWith(ErrorCode::kLifeCycle));
    EXPECT_EQ(fuses.bits(), 1U);
  }
  LifeCycleFuses fuses;
  EXPECT_THAT(fuses.advance(LifeCycle::kDamaged), FailsWith(ErrorCode::kLifeCycle));
}

TEST(Fuses, GoFromZeroToOneOnly) {
  device::Fuses fuses;
  done(fuses.blow(3, 0x0F));
  done(fuses.blow(3, 0xF0));
  done(fuses.blow(3, 0));
  EXPECT_EQ(value(fuses.read(3)), 0xFFU);
  EXPECT_EQ(value(fuses.read(2)), 0U);
  EXPECT_THAT(fuses.read(device::kFuseWords), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(fuses.blow(device::kFuseWords, 1), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Fuses, OfAPartSurvivePowerOffAndCloseWithTheLock) {
  const World world;
  const OemDesk oem(world);
  const auto medium = new_medium();
  auto part = ready_part(world, "", medium);
  done(part->blow_fuse(31, 0x80000001));
  part.reset();
  part = reopened(world, medium);
  EXPECT_EQ(value(part->read_fuse(31)), 0x80000001U);
  done(program(*part, oem.share_blob(), oem.package(small_plan())));
  done(part->lock());
  EXPECT_THAT(part->blow_fuse(31, 2), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_EQ(value(part->read_fuse(31)), 0x80000001U);
}

}  // namespace
}  // namespace tallystick::test
