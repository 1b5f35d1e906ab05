// What the installed software does not permit, the token refuses: every operation of the profile's
// section 7 that a token has.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

using core::Operation;

// Everything that a token does under its software, as a number of its own each.
struct Outcomes {
  CK_RV make_share;
  CK_RV give_role1;
  CK_RV give_role2;
  CK_RV take_role1;
  CK_RV take_role3;
  CK_RV regenerate;
  CK_RV seal_key;     // K_ENCD of role OEM, suite 1
  CK_RV seal_key2;    // suite 2
  CK_RV open_key;     // K_ENCD of role target
  CK_RV further;      // TS1/X/ of role OEM
  CK_RV generate;     // an AES-256 key
  CK_RV generate_ec;  // a P-256 key
};

// Where no share could be made, one of an OEM's desk is taken in its place, so that later steps do
// not fail for want of it.
Outcomes outcomes(FamilyToken& token) {
  auto& session = token.session();
  const OemDesk desk(token.world());
  Outcomes out{};
  const auto family = token.family();
  const auto share = token.make_share();
  out.make_share = share.rv;
  const auto target = token.take_share(desk);
  out.take_role1 = target.rv;
  out.take_role3 = session
                       .unwrap(CKM_TS_SHARE_FOR_DEVICE, device_key(session, CKO_PRIVATE_KEY),
                               desk.device_blob(device_xy(session)), {})
                       .rv;
  const auto blob = desk.master_blob();
  out.regenerate = session
                       .unwrap(regenerate(token.crypto(), desk.key(), device_id(session),
                                          device_nonce(session), blob),
                               family, blob, {})
                       .rv;
  if (share.rv == CKR_OK) {
    out.give_role1 = session.wrap(with_byte(CKM_TS_OEM_SHARE_WRAP, 1), family, share.value).rv;
    out.give_role2 = session.wrap(with_byte(CKM_TS_MASTER_SHARE_WRAP, 1), family, share.value).rv;
    out.generate = session.derive(asset_generate(CK_TS_ASSET_AES256, "x"), share.value, {}).rv;
    out.generate_ec = session.derive(asset_generate(CK_TS_ASSET_P256, "x"), share.value, {}).rv;
    const auto master = session.derive(CKM_TS_MASTER_KEY_DERIVE, share.value, {});
    if (master.rv == CKR_OK) {
      const auto derive = [&](core::Suite suite, const char* label) {
        return session.derive(asset_key_derive(suite, label), master.value, {}).rv;
      };
      out.seal_key = derive(core::Suite::kGcm, "TS1/ENCD");
      out.seal_key2 = derive(core::Suite::kCcm, "TS1/ENCD");
      out.further = derive(core::Suite::kGcm, "TS1/X/calibration");
    }
  }
  if (target.rv == CKR_OK) {
    const auto master = session.derive(CKM_TS_MASTER_KEY_DERIVE, target.value, {});
    out.open_key =
        master.rv != CKR_OK
            ? master.rv
            : session.derive(asset_key_derive(core::Suite::kGcm, "TS1/ENCD"), master.value, {}).rv;
  }
  return out;
}

Outcomes with(std::vector<core::PermissionRecord> permissions) {
  FamilyOptions options;
  options.permissions = std::move(permissions);
  FamilyToken token(options);
  return outcomes(token);
}

auto refused() { return ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED); }

TEST(Permissions, EverythingIsPermittedBySoftwareThatPermitsEverything) {
  const auto got = with(all_permissions());
  EXPECT_THAT(got.make_share, IsOk());
  EXPECT_THAT(got.give_role1, IsOk());
  EXPECT_THAT(got.give_role2, IsOk());
  EXPECT_THAT(got.take_role1, IsOk());
  EXPECT_THAT(got.take_role3, IsOk());
  EXPECT_THAT(got.regenerate, IsOk());
  EXPECT_THAT(got.seal_key, IsOk());
  EXPECT_THAT(got.seal_key2, IsOk());
  EXPECT_THAT(got.open_key, IsOk());
  EXPECT_THAT(got.further, IsOk());
  EXPECT_THAT(got.generate, IsOk());
  EXPECT_THAT(got.generate_ec, IsOk());
}

TEST(Permissions, WithoutOperationOneNoSharesAreMade) {
  const auto got = with(all_permissions_but(Operation::kMakeShares));
  EXPECT_THAT(got.make_share, refused());
  EXPECT_THAT(got.regenerate, IsOk());
}

TEST(Permissions, WithoutOperationTwoNothingIsRegenerated) {
  const auto got = with(all_permissions_but(Operation::kRegenerate));
  EXPECT_THAT(got.regenerate, refused());
  EXPECT_THAT(got.make_share, IsOk());
}

TEST(Permissions, OperationThreeNamesTheBlobsThatAreGivenOut) {
  auto got = with(all_permissions_but(Operation::kGiveBlobs));
  EXPECT_THAT(got.give_role1, refused());
  EXPECT_THAT(got.give_role2, refused());
  auto only_role2 = all_permissions_but(Operation::kGiveBlobs);
  only_role2.push_back(permit(Operation::kGiveBlobs, 0x4));
  got = with(only_role2);
  EXPECT_THAT(got.give_role1, refused());
  EXPECT_THAT(got.give_role2, IsOk());
}

TEST(Permissions, OperationFourNamesTheBlobsThatAreTakenIn) {
  auto got = with(all_permissions_but(Operation::kTakeBlobs));
  EXPECT_THAT(got.take_role1, refused());
  EXPECT_THAT(got.take_role3, refused());
  EXPECT_THAT(got.regenerate, refused());
  auto only_role3 = all_permissions_but(Operation::kTakeBlobs);
  only_role3.push_back(permit(Operation::kTakeBlobs, 0x8));
  got = with(only_role3);
  EXPECT_THAT(got.take_role1, refused());
  EXPECT_THAT(got.take_role3, IsOk());
}

TEST(Permissions, OperationFiveNamesTheSuitesThatSeal) {
  auto only_suite1 = all_permissions_but(Operation::kSealAssets);
  only_suite1.push_back(permit(Operation::kSealAssets, 0x2));
  auto got = with(only_suite1);
  EXPECT_THAT(got.seal_key, IsOk());
  EXPECT_THAT(got.seal_key2, refused());
  EXPECT_THAT(got.open_key, IsOk());
  got = with(all_permissions_but(Operation::kSealAssets));
  EXPECT_THAT(got.open_key, IsOk());
  EXPECT_NE(got.seal_key, CKR_OK);
}

TEST(Permissions, WithoutOperationSixATargetHasNoKeys) {
  const auto got = with(all_permissions_but(Operation::kOpenAssets));
  EXPECT_THAT(got.open_key, refused());
  EXPECT_THAT(got.seal_key, IsOk());
}

TEST(Permissions, WithoutOperationSevenThereAreNoFurtherTypes) {
  const auto got = with(all_permissions_but(Operation::kFurtherTypes));
  EXPECT_THAT(got.further, refused());
  EXPECT_THAT(got.seal_key, IsOk());
}

TEST(Permissions, OperationEightNamesTheTypesThatAreGenerated) {
  auto got = with(all_permissions_but(Operation::kGenerate));
  EXPECT_THAT(got.generate, refused());
  auto only_aes = all_permissions_but(Operation::kGenerate);
  only_aes.push_back(permit(Operation::kGenerate, 0x2));
  got = with(only_aes);
  EXPECT_THAT(got.generate, IsOk());
  EXPECT_THAT(got.generate_ec, refused());
}

TEST(Permissions, WithoutSoftwareNothingOfAFamilyIsPermitted) {
  FamilyOptions options;
  options.software = false;
  FamilyToken token(options);
  EXPECT_THAT(token.make_share().rv, refused());
  EXPECT_THAT(token.take_share(OemDesk(token.world())).rv, refused());
}

TEST(Permissions, NewSoftwareCountsFromItsInstallationOn) {
  FamilyToken token;
  const auto share = must(token.make_share());
  const auto master = master_key(token.session(), share);
  const auto sealing = asset_key(token.session(), share, "TS1/AUTH");
  must(install(token.session(),
               token.world().software(2, kForAll, all_permissions_but(Operation::kSealAssets))));
  EXPECT_THAT(
      token.session().derive(asset_key_derive(core::Suite::kGcm, "TS1/ENCD"), master, {}).rv,
      refused());
  EXPECT_THAT(token.session().sign(CKM_AES_CMAC, sealing, bytes("head")).rv,
              ::testing::AnyOf(refused(), ReturnsRv(CKR_DATA_INVALID)));
}

}  // namespace
}  // namespace tallystick::test
