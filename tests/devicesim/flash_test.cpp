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
  EXPECT_FALSE(device::in_flash({UINT64_MAX - 4095, 4096}, 0, 0))
      << "address 0 does not follow the last one";
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

TEST(FlashChanges, StayInTheFlashAndAreAlone) {
  const World world;
  const auto part = ready_part(world);
  auto change = value(part->change_flash(device::Part::FlashContents::kErased));
  const core::Bytes two(2, 1);
  for (const auto address : {kSmallFlash - 1, kSmallFlash, UINT64_MAX}) {
    EXPECT_THAT(change->write(address, two), FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(change->erase(address, 2), FailsWith(ErrorCode::kInvalidArgument));
  }
  const auto refused = FailsWith(ErrorCode::kLifeCycle);
  EXPECT_THAT(part->blow_fuse(0, 1), refused);
  EXPECT_THAT(part->load_software(world.software(2)), refused);
  EXPECT_THAT(part->install_package(1000), refused);
  EXPECT_THAT(part->change_flash(device::Part::FlashContents::kErased), refused);
  EXPECT_THAT(change->write(kSmallFlash - 2, two), Succeeds());
  EXPECT_THAT(change->finish(), Succeeds());
  core::Bytes read(2);
  EXPECT_THAT(part->read_open_flash(kSmallFlash - 2, read), Succeeds());
  EXPECT_EQ(read, two);
  EXPECT_EQ(value(part->read_fuse(0)), 0U);
}

TEST(FlashChanges, D03_EndWithAReset) {
  const World world;
  const auto part = ready_part(world);
  auto change = value(part->change_flash(device::Part::FlashContents::kErased));
  const core::Bytes two(2, 1);
  done(change->write(0, two));
  done(part->reset());
  const auto over = FailsWith(ErrorCode::kLifeCycle);
  EXPECT_THAT(change->write(0, two), over);
  EXPECT_THAT(change->erase(0, 2), over);
  EXPECT_THAT(change->finish(), over);
  core::Bytes read(2, 7);
  EXPECT_THAT(part->read_open_flash(0, read), Succeeds());
  EXPECT_TRUE(core::all_zero(read)) << "nothing of it came into force";
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
