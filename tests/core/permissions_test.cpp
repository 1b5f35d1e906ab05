// What the running image does not permit, the device does not do (section 7 of docs/formats.md):
// for each operation an image with all others refuses, and one that has it agrees.
#include <gtest/gtest.h>

#include "tests/core/support/fake_part.h"
#include "tests/core/support/package_world.h"

namespace tallystick::core::testing {
namespace {

struct Attempt {
  std::string what;
  Operation operation{};
  std::uint32_t bit = 0xFFFFFFFF;  // of the argument that permits it
  std::function<Status(const ProvisioningSoftware&)> action;
};

template <typename T>
Status outcome(const Result<T>& result) {
  if (!result.ok()) return result.error();
  return {};
}

// The permissions without the record, or without the bit of a mask.
std::vector<PermissionRecord> without(const Attempt& attempt) {
  if (attempt.bit != 0xFFFFFFFF) return permissions_without(attempt.operation, attempt.bit);
  auto records = every_permission();
  std::erase_if(records, [&attempt](const auto& record) {
    return record.operation == static_cast<std::uint16_t>(attempt.operation);
  });
  return records;
}

class PermittedOperations : public ::testing::Test {
 protected:
  World world_;
  OemShare share_ = world_.make_share();
  MasterKey oem_master_ = must(world_.oem_device.derive_master_key(share_));
  Bytes role1_ = must(world_.oem_device.give_share(share_, Suite::kGcm));
  Bytes role2_ = must(world_.oem_device.give_master(share_, Suite::kGcm));
  OemShare taken_ = must(world_.part.take_share(role1_, nullptr));
  MasterKey part_master_ = must(world_.part.derive_master_key(taken_));
  DeviceBlobRequest request_ = world_.request(share_.context, world_.token_key);
  Bytes role3_ = must(world_.oem_device.give_for_device(
      share_, Suite::kGcm, request_, world_.token_key.key, world_.part_key.key.public_key()));

  [[nodiscard]] Bytes context_for(Suite suite) const {
    PackageHeader header;
    header.suite = suite;
    header.context = share_.context;
    return must(PackageBuilder::create(header, {asset(1, AssetKind::kData, Bytes(5)).entry}))
        .seal_context(0);
  }
  [[nodiscard]] AssetKey key(const MasterKey& master, Suite suite, std::string_view label) const {
    return must((master.role == HolderRole::kOem ? world_.oem_device : world_.part)
                    .derive_asset_key(master, suite, label));
  }

  [[nodiscard]] std::vector<Attempt> oem_attempts() {
    std::vector<Attempt> out;
    out.push_back({"make", Operation::kMakeShares, 0xFFFFFFFF, [this](const auto& device) {
                     return outcome(device.make_share(world_.oem.id, 1, Bytes(16)));
                   }});
    out.push_back({"regenerate", Operation::kRegenerate, 0xFFFFFFFF,
                   [this](const auto& device) { return regenerate(device); }});
    out.push_back({"regenerate takes role 2", Operation::kTakeBlobs, 4,
                   [this](const auto& device) { return regenerate(device); }});
    out.push_back({"give role 1", Operation::kGiveBlobs, 2, [this](const auto& device) {
                     return outcome(device.give_share(share_, Suite::kGcm));
                   }});
    out.push_back({"give role 2", Operation::kGiveBlobs, 4, [this](const auto& device) {
                     return outcome(device.give_master(share_, Suite::kGcm));
                   }});
    out.push_back({"give role 3", Operation::kGiveBlobs, 8, [this](const auto& device) {
                     return outcome(device.give_for_device(share_, Suite::kGcm, request_,
                                                           world_.token_key.key,
                                                           world_.part_key.key.public_key()));
                   }});
    for (const auto suite : {Suite::kGcm, Suite::kCcm}) {
      const auto bit = 1U << static_cast<unsigned>(suite);
      out.push_back(
          {"derive to seal", Operation::kSealAssets, bit, [this, suite](const auto& device) {
             return outcome(device.derive_asset_key(oem_master_, suite, kLabelEncKey));
           }});
      out.push_back({"seal", Operation::kSealAssets, bit, [this, suite](const auto& device) {
                       return outcome(device.seal_asset(key(oem_master_, suite, kLabelEncData),
                                                        context_for(suite)));
                     }});
      out.push_back({"tag", Operation::kSealAssets, bit,
                     [this, suite](const auto& device) { return tag(device, suite); }});
    }
    out.push_back({"further", Operation::kFurtherTypes, 0xFFFFFFFF, [this](const auto& device) {
                     return outcome(device.derive_asset_key(oem_master_, Suite::kGcm, "TS1/X/a"));
                   }});
    for (std::uint8_t type = 1; type <= kGeneratedTypes; ++type) {
      out.push_back(
          {"generate", Operation::kGenerate, 1U << (type - 1U), [this, type](const auto& device) {
             return outcome(device.generate(
                 share_, {static_cast<GeneratedType>(type), "n", 0, type == 7 ? 8U : 0U}));
           }});
    }
    return out;
  }

  [[nodiscard]] std::vector<Attempt> part_attempts() {
    std::vector<Attempt> out;
    out.push_back({"take role 1", Operation::kTakeBlobs, 2, [this](const auto& device) {
                     return outcome(device.take_share(role1_, nullptr));
                   }});
    out.push_back({"take role 3", Operation::kTakeBlobs, 8, [this](const auto& device) {
                     return outcome(device.take_share(role3_, &world_.part_key.key));
                   }});
    for (const auto suite : {Suite::kGcm, Suite::kCcm}) {
      const auto bit = 1U << static_cast<unsigned>(suite);
      out.push_back(
          {"derive to open", Operation::kOpenAssets, bit, [this, suite](const auto& device) {
             return outcome(device.derive_asset_key(part_master_, suite, kLabelEncKey));
           }});
      out.push_back({"open", Operation::kOpenAssets, bit, [this, suite](const auto& device) {
                       return outcome(device.open_asset(key(part_master_, suite, kLabelEncData),
                                                        context_for(suite)));
                     }});
    }
    out.push_back({"prove", Operation::kProve, 0xFFFFFFFF, [this](const auto& device) {
                     return outcome(device.derive_proof_key(part_master_, Suite::kGcm));
                   }});
    return out;
  }

  void expect_each_needs_its_permission(const std::vector<Attempt>& attempts,
                                        const Family& family) {
    const auto everything = software_with(every_permission(), family.id);
    for (const auto& attempt : attempts) {
      const ProvisioningSoftware full(crypto(), family, everything);
      EXPECT_TRUE(is_ok(attempt.action(full))) << attempt.what;
      const auto software = software_with(without(attempt), family.id);
      const ProvisioningSoftware limited(crypto(), family, software);
      EXPECT_TRUE(fails_with(attempt.action(limited), ErrorCode::kNotPermitted)) << attempt.what;
      // Software of a version below the share set's floor refuses too.
      const auto old = software_with(every_permission(), family.id, 1);
      if (attempt.operation != Operation::kMakeShares) {
        EXPECT_TRUE(fails_with(attempt.action({crypto(), family, old}), ErrorCode::kSoftwareTooOld))
            << attempt.what;
      }
    }
  }

 private:
  [[nodiscard]] Status regenerate(const ProvisioningSoftware& device) const {
    const Bytes nonce(32);
    const auto consent =
        world_.oem.sign({must(regeneration_message(crypto(), world_.token_key.id, nonce, role2_))});
    return outcome(
        device.regenerate(role2_, world_.token_key.id, nonce, world_.oem.key.public_xy(), consent));
  }
  [[nodiscard]] Status tag(const ProvisioningSoftware& device, Suite suite) const {
    const auto package =
        make_package(world_, share_, {asset(1, AssetKind::kData, Bytes(5))}, suite);
    return outcome(device.tag_package(key(oem_master_, suite, kLabelAuth),
                                      ByteView(package).first(package_head_size(1) - 16)));
  }
};

TEST_F(PermittedOperations, EachOfTheOemsNeedsItsPermission) {
  expect_each_needs_its_permission(oem_attempts(), world_.oem_family);
}

TEST_F(PermittedOperations, EachOfThePartsNeedsItsPermission) {
  expect_each_needs_its_permission(part_attempts(), world_.part_family);
}

TEST_F(PermittedOperations, AnImageWithOneOperationDoesNothingElse) {
  const auto only_prove = software_with({{10, 0}}, world_.icm_family.id);
  for (const auto& attempt : oem_attempts()) {
    const ProvisioningSoftware device(crypto(), world_.oem_family, only_prove);
    EXPECT_TRUE(fails_with(attempt.action(device), ErrorCode::kNotPermitted)) << attempt.what;
  }
  for (const auto& attempt : part_attempts()) {
    const ProvisioningSoftware device(crypto(), world_.part_family, only_prove);
    const auto result = attempt.action(device);
    if (attempt.operation == Operation::kProve) {
      EXPECT_TRUE(is_ok(result));
    } else {
      EXPECT_TRUE(fails_with(result, ErrorCode::kNotPermitted)) << attempt.what;
    }
  }
}

TEST_F(PermittedOperations, CountedFamiliesNeitherGiveNorTakeRoleOne) {
  const World counted(kFamilyCounted);
  const auto share = counted.make_share();
  EXPECT_TRUE(
      fails_with(counted.oem_device.give_share(share, Suite::kGcm), ErrorCode::kCountedFamily));
  const auto role1 =
      must(seal_share_blob(crypto(), Suite::kGcm, share.context,
                           counted.icm_family.k_oem_share.view(), share.oem_share.view()));
  const auto result = counted.part.take_share(role1, nullptr);
  EXPECT_TRUE(fails_with(result, ErrorCode::kCountedFamily));
  EXPECT_TRUE(refused_at(result, 2));
  const auto role3 = must(counted.oem_device.give_for_device(
      share, Suite::kGcm, counted.request(share.context, counted.token_key), counted.token_key.key,
      counted.part_key.key.public_key()));
  EXPECT_TRUE(is_ok(counted.part.take_share(role3, &counted.part_key.key)));
}

TEST_F(PermittedOperations, UniformPartsActAsProvisioningDevices) {
  const World uniform(kFamilyUniform);
  const auto share = must(uniform.part.make_share(uniform.oem.id, 1, random_bytes(32)));
  const auto role1 = must(uniform.part.give_share(share, Suite::kCcm));
  EXPECT_TRUE(is_ok(uniform.oem_device.take_share(role1, nullptr)));
  EXPECT_TRUE(is_ok(uniform.part.give_master(share, Suite::kCcm)));
  // The part of a plain family does not, whatever its software says.
  EXPECT_TRUE(fails_with(world_.part.make_share(world_.oem.id, 1, random_bytes(32)),
                         ErrorCode::kNotPermitted));
}

TEST_F(PermittedOperations, NothingIsGivenOutOfAShareThatWasTakenIn) {
  EXPECT_TRUE(
      fails_with(world_.oem_device.give_share(taken_, Suite::kGcm), ErrorCode::kNotPermitted));
  EXPECT_TRUE(
      fails_with(world_.oem_device.give_master(taken_, Suite::kGcm), ErrorCode::kNotPermitted));
  EXPECT_TRUE(fails_with(
      world_.oem_device.give_for_device(taken_, Suite::kGcm, request_, world_.token_key.key,
                                        world_.part_key.key.public_key()),
      ErrorCode::kNotPermitted));
  EXPECT_TRUE(fails_with(world_.oem_device.generate(taken_, {GeneratedType::kAes128, "n", 0, 0}),
                         ErrorCode::kNotPermitted));
}

// Of a share that was made or regenerated here; and the device holds what its blobs are sealed
// with.
TEST_F(PermittedOperations, MasterBlobsAndAssetsNeedTheOemsRoleAndTheSharesOrigin) {
  auto taken = share_.clone();
  taken.role = HolderRole::kTarget;
  auto without_origin = share_.clone();
  without_origin.origin.reset();
  for (const auto& share : {&taken, &without_origin}) {
    EXPECT_TRUE(
        fails_with(world_.oem_device.give_master(*share, Suite::kGcm), ErrorCode::kNotPermitted));
    EXPECT_TRUE(fails_with(world_.oem_device.generate(*share, {GeneratedType::kAes128, "n", 0, 0}),
                           ErrorCode::kNotPermitted));
  }
  EXPECT_TRUE(fails_with(world_.part.give_master(share_, Suite::kGcm), ErrorCode::kNotPermitted));
}

TEST_F(PermittedOperations, TagsAreCheckedByTargetsThatMayOpen) {
  const Bytes tagged(500);
  const auto target = key(part_master_, Suite::kGcm, kLabelAuth);
  EXPECT_TRUE(fails_with(world_.part.check_package_tag(target, tagged, Bytes(16)),
                         ErrorCode::kTagMismatch));
  const auto own = key(oem_master_, Suite::kGcm, kLabelAuth);
  EXPECT_TRUE(fails_with(world_.oem_device.check_package_tag(own, tagged, Bytes(16)),
                         ErrorCode::kNotPermitted));
  const auto software =
      software_with(permissions_without(Operation::kOpenAssets, 2), world_.part_family.id);
  const ProvisioningSoftware closed(crypto(), world_.part_family, software);
  EXPECT_TRUE(
      fails_with(closed.check_package_tag(target, tagged, Bytes(16)), ErrorCode::kNotPermitted));
}

// What a blob is comes before what the device may do.
TEST_F(PermittedOperations, SharesAreRegeneratedFromBlobsOfRoleTwo) {
  EXPECT_TRUE(refused_at(world_.part.regenerate(role1_, world_.token_key.id, Bytes(32),
                                                world_.oem.key.public_xy(), Bytes(96)),
                         1));
}

TEST_F(PermittedOperations, ATargetGetsNoKeyToTestGuessesWith) {
  EXPECT_TRUE(fails_with(world_.part.derive_asset_key(part_master_, Suite::kGcm, kLabelProof),
                         ErrorCode::kNotPermitted));
  EXPECT_TRUE(is_ok(world_.oem_device.derive_asset_key(oem_master_, Suite::kGcm, kLabelProof)));
}

TEST_F(PermittedOperations, S23_SharesAreMadeOfInputsOfTheRightLengthOnly) {
  for (const std::size_t size : {0UL, 15UL, 65UL}) {
    EXPECT_TRUE(fails_with(world_.oem_device.make_share(world_.oem.id, 1, Bytes(size)),
                           ErrorCode::kInvalidArgument));
  }
  EXPECT_TRUE(fails_with(world_.oem_device.make_share(world_.oem.id, 4, Bytes(32)),
                         ErrorCode::kSoftwareTooOld));
}

}  // namespace
}  // namespace tallystick::core::testing
