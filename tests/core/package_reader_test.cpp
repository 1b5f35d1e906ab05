#include "core/provisioning/package_reader.h"

#include <gtest/gtest.h>

#include "core/ts1/proof.h"
#include "tests/core/support/fake_part.h"
#include "tests/core/support/package_world.h"

namespace tallystick::core::testing {
namespace {

class PackageReaders : public ::testing::TestWithParam<Suite> {
 protected:
  World world_;
  OemShare share_ = world_.make_share();
  Bytes blob_ = must(world_.oem_device.give_share(share_, Suite::kGcm));
  std::vector<Asset> assets_ = four_assets();

  [[nodiscard]] FakePart part() const { return {world_.part, blob_, &world_.part_key.key}; }
  [[nodiscard]] Bytes package(std::uint32_t version = 1, const std::string& product = "") const {
    return make_package(world_, share_, assets_, GetParam(), version, product);
  }
  void expect_installed(const FakePart& part) const {
    ASSERT_EQ(part.staged.size(), assets_.size());
    for (std::size_t i = 0; i < assets_.size(); ++i) {
      EXPECT_TRUE(part.staged[i] == assets_[i].data) << i;
    }
    EXPECT_EQ(part.abandoned, 0U);
  }
};
INSTANTIATE_TEST_SUITE_P(BothSuites, PackageReaders, ::testing::Values(Suite::kGcm, Suite::kCcm),
                         [](const auto& tested) {
                           return tested.param == Suite::kGcm ? "Gcm" : "Ccm";
                         });

TEST_P(PackageReaders, InstallAPackageInAnyCutIntoPieces) {
  const auto bytes = package();
  for (const std::size_t piece : {1UL, 127UL, 128UL, 129UL, 16400UL, 1UL << 20U}) {
    auto target = part();
    const auto verified = must(install(target, bytes, piece));
    expect_installed(target);
    EXPECT_EQ(verified.owner, world_.oem.id);
    EXPECT_EQ(verified.head.entries.size(), 4U);
  }
}

TEST_P(PackageReaders, TakeEmptyAssetsAndSixtyFourOfThem) {
  assets_.clear();
  for (std::uint16_t id = 0; id < 64; ++id) {
    const auto kind = id % 2 == 0 ? AssetKind::kSecretKey : AssetKind::kFurther;
    assets_.push_back(asset(id, kind, random_bytes(id % 3), "n" + std::to_string(id)));
  }
  assets_[2].data.clear();
  assets_[2].entry.plaintext_length = 0;
  for (auto& one : assets_) one.entry.address = one.entry.is_key() ? 0 : one.entry.asset_id * 16ULL;
  auto target = part();
  ASSERT_TRUE(is_ok(install(target, package())));
  expect_installed(target);
}

TEST_P(PackageReaders, TakeAShareBlobMintedForThePart) {
  const auto minted = must(world_.oem_device.give_for_device(
      share_, Suite::kCcm, world_.request(share_.context, world_.token_key), world_.token_key.key,
      world_.part_key.key.public_key()));
  FakePart target(world_.part, minted, &world_.part_key.key);
  ASSERT_TRUE(is_ok(install(target, package())));
  expect_installed(target);
}

TEST_P(PackageReaders, S04_TakeOnlyTheirOwnersPackages) {
  auto target = part();
  target.owner_id = world_.oem.id;
  EXPECT_TRUE(is_ok(install(target, package())));
  auto other = part();
  other.owner_id = make_signer().id;
  EXPECT_TRUE(refuses(other, package(), 6));
}

TEST_P(PackageReaders, S20_TakePackagesForTheirProductOnly) {
  auto same = part();
  same.product_name = "meter";
  EXPECT_TRUE(is_ok(install(same, package(1, "meter"))));
  auto other = part();
  other.product_name = "meter";
  EXPECT_TRUE(refuses(other, package(1, "modem"), 8));
  auto unnamed = part();
  unnamed.product_name = "meter";
  EXPECT_TRUE(refuses(unnamed, package(1, ""), 8));
  auto any = part();
  EXPECT_TRUE(is_ok(install(any, package(1, "modem")))) << "a part without a product takes any";
}

TEST_P(PackageReaders, S19_RefuseVersionsBelowTheMinimumAndTakeEqualOnes) {
  auto target = part();
  target.minimum_package = 5;
  EXPECT_TRUE(refuses(target, package(4), 9));
  auto equal = part();
  equal.minimum_package = 5;
  equal.minimum_assets[3] = 1;
  EXPECT_TRUE(is_ok(install(equal, package(5))));
  auto asset_minimum = part();
  asset_minimum.minimum_assets[3] = 2;
  EXPECT_TRUE(refuses(asset_minimum, package(5), 9));
}

TEST_P(PackageReaders, S03_RefuseTheSharesOfAnotherOem) {
  const auto other = must(world_.oem_device.make_share(make_signer().id, 2, random_bytes(32)));
  FakePart target(world_.part, must(world_.oem_device.give_share(other, Suite::kGcm)));
  EXPECT_TRUE(refuses(target, package(), 4));
  FakePart none(world_.part, {});
  EXPECT_TRUE(refuses(none, package(), 4));
  // The same OEM's other batch.
  FakePart batch(world_.part, must(world_.oem_device.give_share(world_.make_share(), Suite::kGcm)));
  EXPECT_TRUE(refuses(batch, package(), 4));
  const World another;
  FakePart stranger(another.part, blob_);
  EXPECT_TRUE(refuses(stranger, package(), 2));
}

TEST_P(PackageReaders, S07_RefuseAFloorAboveTheRunningSoftware) {
  const auto old = software_with(every_permission(), world_.icm_family.id, 1);
  const ProvisioningSoftware running(crypto(), world_.part_family, old);
  FakePart target(running, blob_);
  EXPECT_TRUE(refuses(target, package(), 3));
}

TEST_P(PackageReaders, RefuseRangesThatThePartDoesNotHave) {
  auto target = part();
  target.permit_ranges = false;
  EXPECT_TRUE(refuses(target, package(), 8));
}

TEST_P(PackageReaders, NeedPermissionToInstallAndToOpenTheSuite) {
  const auto try_with = [this](Operation operation, std::uint32_t mask, int check) {
    const auto software = software_with(permissions_without(operation, mask), world_.icm_family.id);
    const ProvisioningSoftware running(crypto(), world_.part_family, software);
    FakePart target(running, blob_);
    return refuses(target, package(), check);
  };
  const auto bit = 1U << static_cast<unsigned>(GetParam());
  EXPECT_TRUE(try_with(Operation::kOpenAssets, bit, 3));
  EXPECT_TRUE(try_with(Operation::kTakeBlobs, 2, 4));
  auto records = permissions_without(Operation::kMakeShares);
  std::erase_if(records, [](const auto& record) { return record.operation == 9; });
  const auto software = software_with(records, world_.icm_family.id);
  const ProvisioningSoftware running(crypto(), world_.part_family, software);
  FakePart target(running, blob_);
  EXPECT_TRUE(refuses(target, package(), 3));
}

TEST_P(PackageReaders, NeedPermissionForFurtherDataTypes) {
  std::vector<PermissionRecord> records = every_permission();
  std::erase_if(records, [](const auto& record) { return record.operation == 7; });
  const auto software = software_with(records, world_.icm_family.id);
  const ProvisioningSoftware running(crypto(), world_.part_family, software);
  FakePart without(running, blob_);
  EXPECT_TRUE(is_ok(install(without, package())));
  assets_.push_back(asset(9, AssetKind::kFurther, random_bytes(5), "modem", 0, 0x200000));
  FakePart target(running, blob_);
  EXPECT_TRUE(refuses(target, package(), 3));
  auto allowed = part();
  EXPECT_TRUE(is_ok(install(allowed, package())));
}

TEST_P(PackageReaders, GiveTheProofKeyOnlyWhereTheSoftwareProves) {
  auto records = every_permission();
  std::erase_if(records, [](const auto& record) { return record.operation == 10; });
  const auto software = software_with(records, world_.icm_family.id);
  const ProvisioningSoftware running(crypto(), world_.part_family, software);
  FakePart silent(running, blob_);
  EXPECT_TRUE(must(install(silent, package())).proof_key.empty());
  auto target = part();
  const auto verified = must(install(target, package()));
  const auto master = must(world_.oem_device.derive_master_key(share_));
  const auto k_proof = must(world_.oem_device.derive_asset_key(master, GetParam(), kLabelProof));
  EXPECT_TRUE(equal_in_constant_time(verified.proof_key.view(), k_proof.value.view()));
}

TEST_P(PackageReaders, S17_AbandonOnceWhateverFailsInThePart) {
  const auto bytes = package();
  // Begin, write, …, end of every asset fails once, until nothing fails any more.
  int calls = 0;
  for (;; ++calls) {
    auto target = part();
    target.fail_after = calls;
    const auto result = install(target, bytes);
    if (result.ok()) break;
    EXPECT_TRUE(fails_with(result, ErrorCode::kStorage));
    EXPECT_EQ(target.abandoned, 1U);
    EXPECT_TRUE(target.staged.empty());
    ASSERT_LT(calls, 100);
  }
  EXPECT_GE(calls, 4 + 4 + 8) << "a begin and an end for each asset and a write for each chunk";
}

TEST_P(PackageReaders, S17_LeaveNothingWhenTheStreamStopsOrIsCut) {
  const auto bytes = package();
  for (std::size_t size = 0; size < bytes.size(); size += 997) {
    auto target = part();
    {
      PackageReader reader(crypto(), bytes.size(), target);
      ASSERT_TRUE(is_ok(reader.update(ByteView(bytes).first(size))));
      if (size % 2 == 0) {
        EXPECT_TRUE(refused_at(reader.finish(), 1));
      }
    }
    EXPECT_TRUE(target.staged.empty());
    EXPECT_EQ(target.abandoned, target.begun > 0 ? 1U : 0U);
  }
}

TEST_P(PackageReaders, TakeNoByteMoreThanWasAnnounced) {
  const auto bytes = package();
  auto target = part();
  PackageReader reader(crypto(), bytes.size(), target);
  ASSERT_TRUE(is_ok(reader.update(bytes)));
  EXPECT_TRUE(refused_at(reader.update(Bytes(1)), 1));
  EXPECT_FALSE(reader.finish().ok());
  EXPECT_TRUE(target.staged.empty());
  EXPECT_EQ(target.abandoned, 1U);
}

TEST_P(PackageReaders, AreSpentAfterFinish) {
  auto target = part();
  const auto bytes = package();
  PackageReader reader(crypto(), bytes.size(), target);
  ASSERT_TRUE(is_ok(reader.update(bytes)));
  ASSERT_TRUE(is_ok(reader.finish()));
  EXPECT_FALSE(reader.finish().ok());
  EXPECT_FALSE(reader.update(Bytes(1)).ok());
  expect_installed(target);
}

}  // namespace
}  // namespace tallystick::core::testing
