// Packages built wholly through C_*: tagged by K_AUTH, taken by a part of core's, proved to
// K_PROOF.
#include <gtest/gtest.h>

#include <map>

#include "core/provisioning/package_reader.h"
#include "core/ts1/proof.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

using core::Suite;

// A part that keeps what it is given.
class Part : public core::PackageTarget {
 public:
  Part(const World& world, core::Bytes share_blob)
      : family_(world.family_for(core::FamilyRole::kPart)),
        software_(value(core::verify_software(world.crypto(), world.software(),
                                              world.icm_key().public_xy(), family_.id,
                                              core::FamilyRole::kPart, 0))),
        running_(world.crypto(), family_, software_),
        share_blob_(std::move(share_blob)) {}

  [[nodiscard]] const core::ProvisioningSoftware& running() const override { return running_; }
  [[nodiscard]] const core::EcPrivateKey* device_key() const override { return nullptr; }
  [[nodiscard]] core::ByteView share_blob() const override { return share_blob_; }
  [[nodiscard]] std::optional<core::OemId> owner() const override { return std::nullopt; }
  [[nodiscard]] std::string product() const override { return {}; }
  [[nodiscard]] std::uint32_t minimum_package_version() const override { return 0; }
  [[nodiscard]] std::uint32_t minimum_asset_version(std::uint16_t /*id*/) const override {
    return 0;
  }
  [[nodiscard]] bool range_permitted(const core::PackageEntry& /*entry*/) const override {
    return true;
  }
  core::Status begin_asset(const core::PackageHead& head, std::size_t index) override {
    current_ = head.entries[index].name;
    assets[current_].clear();
    return {};
  }
  core::Status write_asset(core::ByteView plaintext) override {
    auto& kept = assets[current_];
    kept.insert(kept.end(), plaintext.begin(), plaintext.end());
    return {};
  }
  core::Status end_asset() override { return {}; }
  void abandon() override { assets.clear(); }

  std::map<std::string, core::Bytes> assets;

 private:
  core::Family family_;
  core::Software software_;
  core::ProvisioningSoftware running_;
  core::Bytes share_blob_;
  std::string current_;
};

PackagePlan plan_with_real_keys(const core::Crypto& crypto, Suite suite) {
  auto plan = small_plan();
  plan.suite = suite;
  for (auto& asset : plan.assets) {
    if (asset.entry.kind != core::AssetKind::kPrivateKey) continue;
    const auto key = value(core::EcPrivateKey::generate(crypto, core::Curve::kP256));
    const auto pkcs8 = value(key.pkcs8());
    asset.content.assign(pkcs8.view().begin(), pkcs8.view().end());
  }
  return plan;
}

class Packages : public ::testing::TestWithParam<Suite> {
 protected:
  FamilyToken token_;
  Session& session_ = token_.session();
  CK_OBJECT_HANDLE share_ = must(token_.make_share());
  core::Bytes share_blob_ =
      must(session_.wrap(with_byte(CKM_TS_OEM_SHARE_WRAP, 1), token_.family(), share_));
  PackagePlan plan_ = plan_with_real_keys(token_.crypto(), GetParam());
};
INSTANTIATE_TEST_SUITE_P(BothSuites, Packages, ::testing::Values(Suite::kGcm, Suite::kCcm),
                         [](const auto& tested) {
                           return tested.param == Suite::kGcm ? "Gcm" : "Ccm";
                         });

TEST_P(Packages, APackageMadeThroughTheTokenIsTakenByAPart) {
  const auto file = package_from(sealing_device(session_, share_, GetParam()), token_.crypto(),
                                 token_.oem_key(), plan_);
  Part part(token_.world(), share_blob_);
  core::PackageReader reader(token_.crypto(), file.size(), part);
  const auto fed = reader.update(file);
  ASSERT_TRUE(fed.ok()) << fed.error().message;
  const auto taken = reader.finish();
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  for (const auto& asset : plan_.assets) {
    EXPECT_EQ(part.assets[asset.entry.name], asset.content) << asset.entry.name;
  }
}

TEST_P(Packages, AProofOfItsContentsVerifiesUnderTheTokensProofKeyAndNothingElseDoes) {
  const auto file = package_from(sealing_device(session_, share_, GetParam()), token_.crypto(),
                                 token_.oem_key(), plan_);
  Part part(token_.world(), share_blob_);
  core::PackageReader reader(token_.crypto(), file.size(), part);
  done(reader.update(file));
  auto taken = reader.finish();
  ASSERT_TRUE(taken.ok());
  const auto& head = taken->head;
  const core::Bytes challenge(32, 0x42);
  const core::DeviceId part_id{1, 2, 3};
  auto mac = value(core::start_slot_mac(token_.crypto(), taken->proof_key.view(), challenge,
                                        part_id, head.entry_bytes(0)));
  const auto& content = part.assets[head.entries[0].name];
  done(mac.update(content));
  core::ByteArray<48> expected{};
  done(mac.finish(expected));

  const auto k_proof = asset_key(session_, share_, "TS1/PROOF", GetParam());
  auto message = core::proof_mac_prefix(challenge, part_id, head.entry_bytes(0));
  message.insert(message.end(), content.begin(), content.end());
  core::Bytes tag(expected.begin(), expected.end());
  EXPECT_THAT(session_.verify(CKM_SHA384_HMAC, k_proof, message, tag), IsOk());
  EXPECT_THAT(session_.verify_parts(CKM_SHA384_HMAC, k_proof, message, tag, 1000), IsOk());
  auto changed = message;
  changed.back() ^= 1U;
  EXPECT_THAT(session_.verify(CKM_SHA384_HMAC, k_proof, changed, tag),
              ReturnsRv(CKR_SIGNATURE_INVALID));
  tag.pop_back();
  EXPECT_THAT(session_.verify(CKM_SHA384_HMAC, k_proof, message, tag),
              ReturnsRv(CKR_SIGNATURE_LEN_RANGE));
  EXPECT_NE(session_.sign(CKM_SHA384_HMAC, k_proof, message).rv, CKR_OK) << "verifies only";
}

// The head of a package up to its tag, sealed with zeros in place of the assets.
core::PackageBuilder signed_head(const FamilyToken& token, const core::Context& context,
                                 Suite suite, const core::EcPrivateKey& key) {
  core::PackageHeader header;
  header.suite = suite;
  header.context = context;
  core::PackageEntry entry;
  entry.asset_id = 1;
  entry.plaintext_length = 100;
  entry.name = "asset";
  auto builder = value(core::PackageBuilder::create(header, {entry}));
  builder.set_oem_public_key(key.public_xy());
  builder.set_signature(value(key.sign(token.crypto(), {builder.head().signed_bytes()})));
  return builder;
}

TEST_P(Packages, TheTagKeySignsSignedHeadsOfItsOwnShareSetOnly) {
  const auto k_auth = asset_key(session_, share_, "TS1/AUTH", GetParam());
  const auto tag = [&](core::ByteView bytes) {
    return session_.sign(CKM_AES_CMAC, k_auth, {bytes.begin(), bytes.end()}).rv;
  };
  const auto invalid = ReturnsRv(CKR_DATA_INVALID);
  const auto context = context_of(session_, share_);
  const auto good = signed_head(token_, context, GetParam(), token_.oem_key());
  EXPECT_THAT(tag(good.head().tagged_bytes()), IsOk());

  const auto stranger = value(core::EcPrivateKey::generate(token_.crypto(), core::Curve::kP384));
  EXPECT_THAT(tag(signed_head(token_, context, GetParam(), stranger).head().tagged_bytes()),
              invalid);
  auto other = context;
  other.share_id[0] ^= 1U;
  EXPECT_THAT(tag(signed_head(token_, other, GetParam(), token_.oem_key()).head().tagged_bytes()),
              invalid);
  other = context;
  other.sw_floor += 1;
  EXPECT_THAT(tag(signed_head(token_, other, GetParam(), token_.oem_key()).head().tagged_bytes()),
              invalid);
  const auto other_suite = GetParam() == Suite::kGcm ? Suite::kCcm : Suite::kGcm;
  EXPECT_THAT(
      tag(signed_head(token_, context, other_suite, token_.oem_key()).head().tagged_bytes()),
      invalid);

  const auto tagged = good.head().tagged_bytes();
  for (std::size_t at = 0; at < tagged.size(); at += 11) {
    core::Bytes damaged(tagged.begin(), tagged.end());
    damaged[at] ^= 1U;
    ASSERT_THAT(tag(damaged), invalid) << at;
  }
  EXPECT_THAT(tag({}), invalid);
  EXPECT_THAT(tag(tagged.first(tagged.size() - 1)), invalid);
  EXPECT_THAT(tag(bytes("TS1/PROOF")), invalid);
  EXPECT_THAT(tag(core::Bytes(100000, 0)),
              ::testing::AnyOf(invalid, ReturnsRv(CKR_DATA_LEN_RANGE)));
}

// It is judged as a whole, and so kept until it is.
TEST_P(Packages, A67_WhatIsTaggedInPartsIsNoLongerThanTheHeadOfAnyPackage) {
  auto most = core::Bytes(core::package_head_size(core::kMostAssets) - 16);
  CK_BYTE one = 0;
  Mechanism cmac(CKM_AES_CMAC);
  const auto k_auth = asset_key(session_, share_, "TS1/AUTH", GetParam());
  const auto s = session_.handle();
  must(session_->C_SignInit(s, cmac.get(), k_auth));
  EXPECT_THAT(session_->C_SignUpdate(s, most.data(), most.size()), IsOk());
  EXPECT_THAT(session_->C_SignUpdate(s, &one, 1), ReturnsRv(CKR_DATA_INVALID));
  const auto target =
      must(session_.unwrap(CKM_TS_OEM_SHARE_WRAP, token_.family(), share_blob_, {}));
  must(session_->C_VerifyInit(s, cmac.get(), asset_key(session_, target, "TS1/AUTH", GetParam())));
  EXPECT_THAT(session_->C_VerifyUpdate(s, most.data(), most.size()), IsOk());
  EXPECT_THAT(session_->C_VerifyUpdate(s, &one, 1), ReturnsRv(CKR_DATA_INVALID));
}

TEST_P(Packages, TheTagIsTheSameInPartsAndVerifiesForATarget) {
  const auto k_auth = asset_key(session_, share_, "TS1/AUTH", GetParam());
  const auto good = signed_head(token_, context_of(session_, share_), GetParam(), token_.oem_key());
  const core::Bytes tagged(good.head().tagged_bytes().begin(), good.head().tagged_bytes().end());
  const auto tag = must(session_.sign(CKM_AES_CMAC, k_auth, tagged));
  EXPECT_EQ(must(session_.sign_parts(CKM_AES_CMAC, k_auth, tagged, 100)), tag);
  const auto target =
      must(session_.unwrap(CKM_TS_OEM_SHARE_WRAP, token_.family(), share_blob_, {}));
  const auto target_auth = asset_key(session_, target, "TS1/AUTH", GetParam());
  EXPECT_THAT(session_.verify(CKM_AES_CMAC, target_auth, tagged, tag), IsOk());
  EXPECT_THAT(session_.verify_parts(CKM_AES_CMAC, target_auth, tagged, tag, 7), IsOk());
  auto wrong = tag;
  wrong[0] ^= 1U;
  EXPECT_THAT(session_.verify(CKM_AES_CMAC, target_auth, tagged, wrong),
              ReturnsRv(CKR_SIGNATURE_INVALID));
  for (const std::size_t size : {0UL, 1UL, 15UL, 17UL}) {
    wrong = tag;
    wrong.resize(size);
    EXPECT_THAT(session_.verify(CKM_AES_CMAC, target_auth, tagged, wrong),
                ReturnsRv(CKR_SIGNATURE_LEN_RANGE));
  }
  EXPECT_NE(session_.sign(CKM_AES_CMAC, target_auth, tagged).rv, CKR_OK) << "a target checks only";
}

}  // namespace
}  // namespace tallystick::test
