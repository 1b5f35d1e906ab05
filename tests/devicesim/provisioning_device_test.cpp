// A part of a uniform family as the OEM's provisioning device (claim 11 of US 2023/0063743 A1).
#include "devicesim/provisioning_device.h"

#include <gtest/gtest.h>

#include "core/ts1/proof.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using device::ProvisioningDevice;

constexpr std::string_view kInput = "random input of the product owner";

class UniformParts : public ::testing::Test {
 protected:
  SealingDevice sealing(const ProvisioningDevice& device) {
    SealingDevice out;
    out.context = value(device.context());
    out.seal = [&device](core::ByteView context, core::ByteView content) {
      core::Bytes sealed;
      const core::ByteSink sink = [&sealed](core::ByteView piece) -> core::Status {
        sealed.insert(sealed.end(), piece.begin(), piece.end());
        return {};
      };
      auto stream = value(device.seal_asset(context));
      done(stream.update(content, sink));
      done(stream.finish(sink));
      return sealed;
    };
    out.tag = [&device](core::ByteView tagged) { return value(device.tag_package(tagged)); };
    return out;
  }

  World world_{{core::kFamilyUniform, 2}};
  core::EcPrivateKey oem_key_ =
      value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP384));
  core::OemId oem_id_ = value(core::key_id(world_.crypto(), oem_key_.public_xy()));
  std::unique_ptr<device::Part> maker_ = ready_part(world_);
  std::unique_ptr<device::Part> target_ = ready_part(world_);
};

TEST_F(UniformParts, MakePackagesThatOtherPartsAccept) {
  auto device = value(ProvisioningDevice::on(*maker_));
  done(device.make_share(oem_id_, 1, core::bytes_of(kInput)));
  for (const auto suite : {core::Suite::kGcm, core::Suite::kCcm}) {
    auto plan = small_plan();
    plan.suite = suite;
    const auto package = package_from(sealing(device), world_.crypto(), oem_key_, plan);
    EXPECT_THAT(program(*target_, value(device.give_share(suite)), package), Succeeds());
    EXPECT_EQ(value(target_->read_flash(0, 40000)), plan.assets[0].content);
  }
  EXPECT_EQ(target_->info().owner, oem_id_);
}

TEST_F(UniformParts, GiveBlobsThatATokenOfTheFamilyAccepts) {
  auto device = value(ProvisioningDevice::on(*maker_));
  done(device.make_share(oem_id_, 1, core::bytes_of(kInput)));
  // What a provisioning token runs: the same core, with the family in its role.
  const auto family = world_.family_for(core::FamilyRole::kProvisioning);
  const auto software =
      value(core::verify_software(world_.crypto(), world_.software(), world_.icm_key().public_xy(),
                                  family.id, core::FamilyRole::kProvisioning, 0));
  const core::ProvisioningSoftware token(world_.crypto(), family, software);

  const auto taken = value(token.take_share(value(device.give_share(core::Suite::kGcm)), nullptr));
  EXPECT_EQ(taken.context, value(device.context()));

  const auto blob = value(device.give_master(core::Suite::kGcm));
  const core::DeviceId token_id{1};
  const core::ByteArray<32> nonce{2};
  const auto message = value(core::regeneration_message(world_.crypto(), token_id, nonce, blob));
  const auto share = value(token.regenerate(blob, token_id, nonce, oem_key_.public_xy(),
                                            value(oem_key_.sign(world_.crypto(), {message}))));
  EXPECT_TRUE(core::equal_in_constant_time(share.oem_share.view(), taken.oem_share.view()));
}

TEST_F(UniformParts, AcceptWhatAProvisioningTokenMade) {
  const OemDesk oem(world_, 1, &oem_key_);
  EXPECT_THAT(program(*target_, oem.share_blob(), oem.package(small_plan())), Succeeds());
}

TEST_F(UniformParts, RegenerateOnlyWithTheOemsConsentForThisPartAndNonce) {
  const OemDesk oem(world_, 1, &oem_key_);
  const auto blob = oem.master_blob();
  auto device = value(ProvisioningDevice::on(*maker_));
  const auto consent = [&](const core::DeviceId& id, const core::ByteArray<32>& nonce) {
    const auto message = value(core::regeneration_message(world_.crypto(), id, nonce, blob));
    return value(oem_key_.sign(world_.crypto(), {message}));
  };
  const auto regenerate = [&](core::ByteView signature) {
    return device.regenerate(blob, oem_key_.public_xy(), signature);
  };
  EXPECT_THAT(regenerate(consent(maker_->id(), {})), FailsWith(ErrorCode::kConsentRefused));
  auto nonce = value(device.consent_nonce());
  EXPECT_THAT(regenerate(consent(target_->id(), nonce)), FailsWith(ErrorCode::kConsentRefused));
  EXPECT_THAT(regenerate(consent(maker_->id(), nonce)), FailsWith(ErrorCode::kConsentRefused))
      << "the nonce was spent";
  EXPECT_THAT(device.context(), FailsWith(ErrorCode::kInvalidArgument));
  nonce = value(device.consent_nonce());
  EXPECT_THAT(regenerate(consent(maker_->id(), nonce)), Succeeds());
  EXPECT_EQ(value(device.context()), oem.context());
  // What it makes now, a part takes with the blob of the first time.
  const auto package = package_from(sealing(device), world_.crypto(), oem_key_, small_plan());
  EXPECT_THAT(program(*target_, oem.share_blob(), package), Succeeds());
}

TEST_F(UniformParts, GenerateAndSealAssetsInside) {
  auto device = value(ProvisioningDevice::on(*maker_));
  done(device.make_share(oem_id_, 1, core::bytes_of(kInput)));
  const core::GeneratedAsset wanted{core::GeneratedType::kAes256, "storage key", 0, 0};
  PackagePlan plan;
  plan.assets.push_back(key_asset(1, "storage key", core::Bytes(32)));
  plan.assets[0].entry.flags |= core::kAssetGenerated;
  auto by_generation = sealing(device);
  by_generation.seal = [&](core::ByteView context, core::ByteView) {
    return value(device.seal_generated(context, wanted));
  };
  const auto package = package_from(by_generation, world_.crypto(), oem_key_, plan);
  EXPECT_THAT(program(*target_, value(device.give_share(core::Suite::kGcm)), package), Succeeds());

  core::PackageHeader header;
  header.suite = core::Suite::kGcm;
  header.context = value(device.context());
  auto entry = plan.assets[0].entry;
  entry.plaintext_length = 16;
  const auto builder = value(core::PackageBuilder::create(header, {entry}));
  EXPECT_THAT(device.seal_generated(builder.seal_context(0), wanted),
              FailsWith(ErrorCode::kInvalidArgument))
      << "a length that is not the key's";
  entry = plan.assets[0].entry;
  entry.plaintext_length = 32;
  entry.name = "another key";
  const auto other = value(core::PackageBuilder::create(header, {entry}));
  EXPECT_THAT(device.seal_generated(other.seal_context(0), wanted),
              FailsWith(ErrorCode::kInvalidArgument))
      << "another name";
}

TEST_F(UniformParts, LoseTheirSharesAtReset) {
  auto device = value(ProvisioningDevice::on(*maker_));
  done(device.make_share(oem_id_, 1, core::bytes_of(kInput)));
  done(maker_->reset());
  EXPECT_THAT(device.give_share(core::Suite::kGcm), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(device.make_share(oem_id_, 1, core::bytes_of(kInput)),
              FailsWith(ErrorCode::kLifeCycle));
}

TEST_F(UniformParts, SealNothingMoreOnceTheyAreLocked) {
  const OemDesk oem(world_, 1, &oem_key_);
  done(program(*maker_, oem.share_blob(), oem.package(small_plan())));
  auto device = value(ProvisioningDevice::on(*maker_));
  done(device.make_share(oem_id_, 1, core::bytes_of(kInput)));
  const auto nonce = device.consent_nonce();
  done(maker_->lock());
  EXPECT_THAT(device.context(), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(device.give_share(core::Suite::kGcm), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(device.give_master(core::Suite::kGcm), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(device.tag_package(core::Bytes(500)), FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(device.make_share(oem_id_, 1, core::bytes_of(kInput)),
              FailsWith(ErrorCode::kLifeCycle));
  EXPECT_THAT(device.regenerate(oem.master_blob(), oem_key_.public_xy(), {}),
              FailsWith(ErrorCode::kLifeCycle));
}

TEST_F(UniformParts, SealNothingBeforeTheyHaveAShareSet) {
  const auto device = value(ProvisioningDevice::on(*maker_));
  EXPECT_THAT(device.give_share(core::Suite::kGcm), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(device.give_master(core::Suite::kGcm), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(device.tag_package(core::Bytes(500)), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(UniformParts, TagNothingThatIsShorterThanAHead) {
  auto device = value(ProvisioningDevice::on(*maker_));
  done(device.make_share(oem_id_, 1, core::bytes_of(kInput)));
  const core::Bytes head(core::package_head_size(1) - 16, 1);
  for (const std::size_t size : {std::size_t{0}, std::size_t{6}, core::kPackageHeaderSize - 1,
                                 core::kPackageHeaderSize, head.size() - 1}) {
    EXPECT_THAT(device.tag_package(core::ByteView(head).first(size)),
                FailsWith(ErrorCode::kMalformed))
        << size;
  }
  EXPECT_THAT(device.tag_package({}), FailsWith(ErrorCode::kMalformed));
}

TEST(OtherParts, AreNoProvisioningDevices) {
  const World plain;
  auto part = ready_part(plain);
  EXPECT_THAT(ProvisioningDevice::on(*part), FailsWith(ErrorCode::kNotPermitted));
  const World uniform({core::kFamilyUniform, 0});
  auto blank = blank_part(uniform);
  EXPECT_THAT(ProvisioningDevice::on(*blank), FailsWith(ErrorCode::kNotPermitted));
  make_ready(uniform, *blank,
             uniform.software(1, kForAll, all_permissions_but(core::Operation::kMakeShares)));
  auto device = value(ProvisioningDevice::on(*blank));
  EXPECT_THAT(device.make_share({}, 1, core::bytes_of(kInput)),
              FailsWith(ErrorCode::kNotPermitted));
}

}  // namespace
}  // namespace tallystick::test
