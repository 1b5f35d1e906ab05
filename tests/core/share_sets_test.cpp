// The life of a share set between devices of one family: made, given, taken, regenerated.
#include <gtest/gtest.h>

#include "tests/core/support/package_world.h"

namespace tallystick::core::testing {
namespace {

TEST(ShareSets, GiveTheSameKeysToOemAndTarget) {
  const World world;
  const auto share = world.make_share();
  const auto taken =
      must(world.part.take_share(must(world.oem_device.give_share(share, Suite::kCcm)), nullptr));
  const auto oem = must(world.oem_device.derive_master_key(share));
  const auto target = must(world.part.derive_master_key(taken));
  EXPECT_EQ(oem.role, HolderRole::kOem);
  EXPECT_EQ(target.role, HolderRole::kTarget);
  EXPECT_TRUE(equal_in_constant_time(oem.value.view(), target.value.view()));
  for (const auto label : {kLabelEncKey, kLabelEncData, kLabelAuth}) {
    const auto a = must(world.oem_device.derive_asset_key(oem, Suite::kGcm, label));
    const auto b = must(world.part.derive_asset_key(target, Suite::kGcm, label));
    EXPECT_TRUE(equal_in_constant_time(a.value.view(), b.value.view()));
    EXPECT_EQ(a.role, HolderRole::kOem);
    EXPECT_EQ(b.role, HolderRole::kTarget);
    EXPECT_EQ(b.label, label);
  }
}

TEST(ShareSets, S21_GenerateTheSameAssetsAgainAfterRegeneration) {
  const World world;
  const auto share = world.make_share();
  const auto blob = must(world.oem_device.give_master(share, Suite::kGcm));
  const auto nonce = random_bytes(32);
  const auto consent =
      world.oem.sign({must(regeneration_message(crypto(), world.token_key.id, nonce, blob))});
  const auto again = must(world.oem_device.regenerate(blob, world.token_key.id, nonce,
                                                      world.oem.key.public_xy(), consent));
  for (std::uint8_t type = 1; type <= kGeneratedTypes; ++type) {
    const GeneratedAsset asset{static_cast<GeneratedType>(type), "device key", 4,
                               type == kGeneratedTypes ? 100U : 0U};
    EXPECT_EQ(to_hex(must(world.oem_device.generate(share, asset)).view()),
              to_hex(must(world.oem_device.generate(again, asset)).view()));
    EXPECT_NE(to_hex(must(world.oem_device.generate(share, asset)).view()),
              to_hex(must(world.oem_device.generate(world.make_share(), asset)).view()));
  }
}

TEST(ShareSets, AreClonedWhole) {
  const World world;
  const auto share = world.make_share();
  const auto copy = share.clone();
  EXPECT_EQ(copy.context, share.context);
  EXPECT_EQ(copy.role, HolderRole::kOem);
  ASSERT_TRUE(copy.origin.has_value());
  EXPECT_EQ(to_hex(copy.oem_share.view()), to_hex(share.oem_share.view()));
  EXPECT_EQ(to_hex(copy.origin->rnd_share.view()), to_hex(share.origin->rnd_share.view()));
  const auto taken =
      must(world.part.take_share(must(world.oem_device.give_share(share, Suite::kGcm)), nullptr));
  EXPECT_FALSE(taken.clone().origin.has_value());
}

TEST(ShareSets, S20_BelongToOneFamily) {
  const World a;
  const World b;
  const auto share = a.make_share();
  EXPECT_TRUE(fails_with(b.oem_device.give_share(share, Suite::kGcm), ErrorCode::kWrongFamily));
  EXPECT_TRUE(fails_with(b.oem_device.derive_master_key(share), ErrorCode::kWrongFamily));
  EXPECT_TRUE(fails_with(b.oem_device.admits(share.context), ErrorCode::kWrongFamily));
  EXPECT_TRUE(is_ok(a.oem_device.admits(share.context)));
  EXPECT_EQ(a.oem_device.version(), 3U);
  EXPECT_EQ(a.oem_device.family().id, share.context.family_id);
}

}  // namespace
}  // namespace tallystick::core::testing
