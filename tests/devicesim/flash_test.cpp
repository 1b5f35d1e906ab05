#include "devicesim/flash.h"

#include <gtest/gtest.h>

#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using device::MemoryMap;

TEST(MemoryMaps, HaveASizeInRangeAndEndInTheAddressSpace) {
  EXPECT_THAT(device::check_memory_map({0, device::kLeastFlash}), Succeeds());
  EXPECT_THAT(device::check_memory_map({0, device::kMostFlash}), Succeeds());
  EXPECT_THAT(device::check_memory_map({UINT64_MAX - 4095, 4096}), Succeeds());
  EXPECT_THAT(device::check_memory_map({0, device::kLeastFlash - 1}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(device::check_memory_map({0, device::kMostFlash + 1}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(device::check_memory_map({UINT64_MAX - 4094, 4096}),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(MemoryMaps, HoldARangeOnlyWhenAllOfItIsInside) {
  const MemoryMap map{0x1000, 0x2000};
  EXPECT_TRUE(device::in_flash(map, 0x1000, 0x2000));
  EXPECT_TRUE(device::in_flash(map, 0x3000, 0));
  EXPECT_FALSE(device::in_flash(map, 0x3000, 1));
  EXPECT_FALSE(device::in_flash(map, 0xFFF, 1));
  EXPECT_FALSE(device::in_flash(map, 0x1000, 0x2001));
  EXPECT_FALSE(device::in_flash(map, 0x2000, UINT64_MAX));
  EXPECT_FALSE(device::in_flash(map, UINT64_MAX, 1));
}

TEST(Flash, AtAHighAddressTakesAndGivesBackAnAsset) {
  const World world;
  const OemDesk oem(world);
  auto manufacture = manufacture_for(world);
  manufacture.memory.flash_base = 0x08000000;
  auto part = value(device::Part::create_in(
      world.crypto_ptr(), std::make_unique<MediumStorage>(new_medium()), manufacture));
  make_ready(world, *part, world.software());

  PackagePlan plan;
  const auto content = pattern(3000, 9);
  plan.assets.push_back(flash_asset(1, "firmware", 0x08000000 + kSmallFlash - 3000, content));
  EXPECT_THAT(program(*part, oem.share_blob(), oem.package(plan)), Succeeds());
  EXPECT_EQ(value(part->read_flash(0x08000000 + kSmallFlash - 3000, 3000)), content);

  plan.assets[0].entry.address += 1;
  EXPECT_THAT(program(*part, oem.share_blob(), oem.package(plan)),
              FailsAtCheck(8, ErrorCode::kInconsistent));
  plan.assets[0].entry.address = 0;
  EXPECT_THAT(program(*part, oem.share_blob(), oem.package(plan)),
              FailsAtCheck(8, ErrorCode::kInconsistent));
}

TEST(KeyStores, HaveSixteenKibibytesForAKey) {
  const World world;
  const OemDesk oem(world);
  auto part = ready_part(world);
  PackagePlan plan;
  plan.assets.push_back(key_asset(1, "largest", pattern(device::kKeyRoom, 1)));
  EXPECT_THAT(program(*part, oem.share_blob(), oem.package(plan)), Succeeds());
  plan.assets[0].content.push_back(0);
  EXPECT_THAT(program(*part, oem.share_blob(), oem.package(plan)),
              FailsAtCheck(8, ErrorCode::kInconsistent));
}

TEST(KeyStores, HoldAsManyKeysAsAPackageCanName) {
  const World world;
  const OemDesk oem(world);
  auto part = ready_part(world);
  PackagePlan plan;
  for (std::uint16_t i = 0; i < core::kMostAssets; ++i) {
    plan.assets.push_back(key_asset(i, "key " + std::to_string(i), pattern(32, i)));
  }
  EXPECT_THAT(program(*part, oem.share_blob(), oem.package(plan)), Succeeds());
  EXPECT_EQ(snapshot(*part).macs.size(), core::kMostAssets * 48);
}

}  // namespace
}  // namespace tallystick::test
