#include "devicesim/life_cycle.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

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

TEST(LifeCycles, D14_AMisreadOfUpToTwentyFusesIsDamageAndNoOtherState) {
  std::minstd_rand random(14);
  for (const auto state : kStates) {
    for (const auto wanted : kStates) {
      if (wanted == state) continue;
      const auto bits = fuses_in(state).bits();
      const auto apart = bits ^ fuses_in(wanted).bits();
      ASSERT_GE(std::popcount(apart), 21);
      // Faults on the way to the wanted state, twenty of them at most.
      for (int round = 0; round < 2000; ++round) {
        std::uint64_t fault = apart;
        while (std::popcount(fault) > 20) fault &= ~(1ULL << (random() % 64));
        EXPECT_EQ(LifeCycleFuses(bits ^ fault).state(), LifeCycle::kDamaged);
      }
    }
  }
}

TEST(LifeCycles, D14_APartWithMisreadFusesStaysOff) {
  const World world;
  const OemDesk oem(world);
  const auto medium = new_medium();
  auto part = ready_part(world, "", medium);
  done(program(*part, oem.share_blob(), oem.package(small_plan())));
  done(part->lock());
  part.reset();
  // The record with other fuses and a digest that fits, so that nothing but the code gives it away.
  {
    auto file =
        value(device::PartFile::open(world.crypto(), std::make_unique<MediumStorage>(medium)));
    auto state = file.take_state();
    state.life_cycle = LifeCycleFuses(state.life_cycle.bits() & ~1ULL);
    done(file.commit(state));
  }
  part = reopened(world, medium);
  EXPECT_EQ(part->life_cycle(), LifeCycle::kDamaged);
  EXPECT_EQ(part->running(), nullptr);
  ASSERT_TRUE(part->boot_error().has_value());
  EXPECT_THAT(part->load_software(world.software()), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part->install_package(1000), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(part->blow_fuse(0, 1), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_FALSE(part->read_flash(0, 1).ok());
  EXPECT_THAT(part->reset(), FailsWith(ErrorCode::kLifeCycle));
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
