// Families: born or imported in the ICM's token, sealed to another token, opened there.
#include <gtest/gtest.h>

#include "core/base/reader.h"
#include "core/ts1/family_blob.h"
#include "tests/pkcs11/support/vectors.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

using core::FamilyRole;

core::FamilyId new_id() {
  core::FamilyId id{};
  done(shared_crypto()->random(id));
  return id;
}

void expect_icm_family(const Session& session, CK_OBJECT_HANDLE family, core::ByteView id,
                       CK_ULONG flags, core::ByteView icm_key) {
  EXPECT_EQ(must(session.get(family, CKA_TS_FAMILY_ID)), core::Bytes(id.begin(), id.end()));
  EXPECT_EQ(must(session.get(family, CKA_TS_ICM_PUBLIC_KEY)),
            core::Bytes(icm_key.begin(), icm_key.end()));
  EXPECT_EQ(session.number(family, CKA_TS_FAMILY_FLAGS), flags);
  EXPECT_EQ(session.number(family, CKA_TS_ROLE), CK_TS_ROLE_ICM);
  EXPECT_EQ(session.number(family, CKA_TS_SW_VERSION), 0U);
  EXPECT_TRUE(session.flag(family, CKA_TOKEN));
  EXPECT_TRUE(session.flag(family, CKA_PRIVATE));
  EXPECT_TRUE(session.flag(family, CKA_SENSITIVE));
  EXPECT_FALSE(session.flag(family, CKA_EXTRACTABLE));
  EXPECT_FALSE(session.flag(family, CKA_DESTROYABLE));
}

TEST(FamilyGen, MakesAFamilyOfTheIcm) {
  TestToken token;
  const World world;
  for (const unsigned flags : {0U, 1U, 2U}) {
    for (const unsigned further : {0U, 6U}) {
      const auto id = new_id();
      const auto family =
          token.session().generate(family_gen(id, flags, further, world.icm_key().public_xy()), {});
      ASSERT_THAT(family.rv, IsOk());
      expect_icm_family(token.session(), family.value, id, flags, world.icm_key().public_xy());
    }
  }
}

TEST(FamilyGen, RefusesAParameterThatIsNotOne) {
  TestToken token;
  const World world;
  const auto icm = world.icm_key().public_xy();
  const auto bad = ReturnsRv(CKR_MECHANISM_PARAM_INVALID);
  EXPECT_THAT(token.session().generate(family_gen(new_id(), 3, 0, icm), {}).rv, bad);
  EXPECT_THAT(token.session().generate(family_gen(new_id(), 4, 0, icm), {}).rv, bad);
  EXPECT_THAT(token.session().generate(family_gen(new_id(), 0, 7, icm), {}).rv, bad);
  EXPECT_THAT(token.session().generate(family_gen(new_id(), 0, 0, core::Bytes(96, 1)), {}).rv, bad);
  core::Bytes longer(icm.begin(), icm.end());
  longer.push_back(0);
  EXPECT_THAT(token.session().generate(family_gen(new_id(), 0, 0, longer), {}).rv, bad);
  for (const std::size_t length : {0UL, 1UL, 113UL, 115UL}) {
    EXPECT_THAT(token.session().generate({CKM_TS_FAMILY_GEN, core::Bytes(length, 0)}, {}).rv, bad);
  }
  EXPECT_TRUE(token.session().find(Attributes().number(CKA_KEY_TYPE, CKK_TS_FAMILY)).empty());
}

TEST(FamilyGen, AFamilyIsThereOnce) {
  TestToken token;
  const World world;
  const auto id = new_id();
  const auto mechanism = family_gen(id, 0, 0, world.icm_key().public_xy());
  must(token.session().generate(mechanism, {}));
  EXPECT_THAT(token.session().generate(mechanism, {}).rv, ReturnsRv(CKR_FUNCTION_REJECTED));
  auto family = world.family().clone();
  family.id = id;
  EXPECT_THAT(import_family(token.session(), import_form(family)).rv,
              ReturnsRv(CKR_FUNCTION_REJECTED));
  EXPECT_EQ(token.session().find(Attributes().bytes(CKA_TS_FAMILY_ID, id)).size(), 1U);
}

TEST(FamilyWrap, A25_NoOtherManagedKeyLeavesAsAFamily) {
  FamilyToken token;
  const auto share = must(token.make_share());
  const auto part = value(core::EcPrivateKey::generate(token.crypto(), core::Curve::kP256));
  const auto device =
      import_device(token.session(), part.public_xy(),
                    token.world().certificate(core::DeviceKind::kPart, part.public_xy()));
  EXPECT_THAT(token.session().wrap(with_byte(CKM_TS_FAMILY_WRAP, 4), device, share).rv,
              ReturnsRv(CKR_KEY_NOT_WRAPPABLE));
}

TEST(FamilyImport, TakesEveryVectorsFamily) {
  TestToken token;
  std::size_t imported = 0;
  const auto file = load_vectors("ts1/family_blobs.json");
  for (const auto& test : file["tests"]) {
    if (!test.contains("import_value")) continue;
    const auto family = import_family(token.session(), unhex(test["import_value"]));
    ASSERT_THAT(family.rv, IsOk());
    expect_icm_family(token.session(), family.value, unhex(test["family_id"]),
                      test["flags"].get<CK_ULONG>(), unhex(test["icm_public_key"]));
    ++imported;
  }
  EXPECT_GT(imported, 0U);
}

TEST(FamilyImport, RefusesEveryOtherLengthVersionFlagAndCount) {
  TestToken token;
  const World world;
  const auto good = import_form(world.family());
  const auto bad = ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID);
  for (const std::size_t at : {0UL, 4UL, 5UL, 6UL, 7UL}) {
    auto form = good;
    form[at] ^= 0x40U;
    EXPECT_THAT(import_family(token.session(), form).rv, bad) << at;
  }
  auto both_flags = good;
  both_flags[6] = 3;
  EXPECT_THAT(import_family(token.session(), both_flags).rv, bad);
  auto off_curve = good;
  off_curve.back() ^= 1U;
  EXPECT_THAT(import_family(token.session(), off_curve).rv, bad);
  auto longer = good;
  longer.push_back(0);
  EXPECT_THAT(import_family(token.session(), longer).rv, bad);
  for (const std::size_t cut : {0UL, 1UL, 8UL, good.size() - 1}) {
    EXPECT_THAT(import_family(token.session(), core::ByteView(good).first(cut)).rv, bad);
  }
  EXPECT_THAT(
      token.session()
          .create(
              Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_TS_FAMILY))
          .rv,
      ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(import_family(token.session(), good).rv, IsOk());
}

// The ICM's token seals a family to other tokens; signature and certificates come from the ICM's
// key, which is in an HSM.
class TwoTokens : public ::testing::Test {
 protected:
  TwoTokens() : other_(token_.functions(), make_token(token_.module(), "recipient")) {
    must(other_.login(CKU_USER, kUserPin));
    family_ = must(import_family(icm(), import_form(world_.family())));
  }
  Session& icm() { return token_.session(); }
  Session& recipient() { return other_; }
  // Wraps for the recipient and signs.
  core::Bytes blob_for(FamilyRole role) {
    const auto xy = device_xy(other_);
    const auto device = import_device(icm(), xy, world_.certificate(core::DeviceKind::kToken, xy));
    auto blob = must(
        icm().wrap(with_byte(CKM_TS_FAMILY_WRAP, static_cast<unsigned>(role)), device, family_));
    return signed_by_icm(std::move(blob));
  }
  core::Bytes signed_by_icm(core::Bytes blob) const {
    const auto signature = value(world_.icm_key().sign(world_.crypto(), {blob}));
    blob.insert(blob.end(), signature.begin(), signature.end());
    return blob;
  }
  Answer<CK_OBJECT_HANDLE> take(core::ByteView blob) { return take(blob, world_.fingerprint()); }
  Answer<CK_OBJECT_HANDLE> take(core::ByteView blob, core::ByteView fingerprint) {
    return other_.unwrap({CKM_TS_FAMILY_WRAP, {fingerprint.begin(), fingerprint.end()}},
                         device_key(other_, CKO_PRIVATE_KEY), {blob.begin(), blob.end()}, {});
  }
  [[nodiscard]] std::size_t families_there() const {
    return other_.find(Attributes().number(CKA_KEY_TYPE, CKK_TS_FAMILY)).size();
  }

  const World world_;
  TestToken token_;
  Session other_;
  CK_OBJECT_HANDLE family_ = 0;
};

TEST_F(TwoTokens, AFamilySealedToATokenOpensThereInItsRole) {
  const auto family = must(take(blob_for(FamilyRole::kProvisioning)));
  EXPECT_EQ(recipient().number(family, CKA_TS_ROLE), CK_TS_ROLE_PROVISIONING);
  EXPECT_EQ(must(recipient().get(family, CKA_TS_FAMILY_ID)),
            core::Bytes(world_.family().id.begin(), world_.family().id.end()));
  EXPECT_TRUE(recipient().flag(family, CKA_TOKEN));
  EXPECT_FALSE(recipient().flag(family, CKA_DESTROYABLE));
  // It works: the software runs and a share is made.
  must(install(recipient(), world_.software()));
  const auto oem = value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP384));
  EXPECT_THAT(recipient()
                  .generate(share_gen(world_.family().id,
                                      value(core::key_id(world_.crypto(), oem.public_xy())), 1,
                                      core::Bytes(32, 7)),
                            {})
                  .rv,
              IsOk());
}

TEST_F(TwoTokens, APartIsGivenNoTokensFamilyAndATokenNoParts) {
  const auto part = value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP256));
  const auto a_part = import_device(icm(), part.public_xy(),
                                    world_.certificate(core::DeviceKind::kPart, part.public_xy()));
  const auto xy = device_xy(other_);
  const auto a_token = import_device(icm(), xy, world_.certificate(core::DeviceKind::kToken, xy));
  const auto wrap = [&](CK_OBJECT_HANDLE device, FamilyRole role) {
    return icm()
        .wrap(with_byte(CKM_TS_FAMILY_WRAP, static_cast<unsigned>(role)), device, family_)
        .rv;
  };
  for (const auto role : {FamilyRole::kProvisioning, FamilyRole::kStation}) {
    EXPECT_THAT(wrap(a_part, role), ReturnsRv(CKR_WRAPPING_KEY_HANDLE_INVALID));
    EXPECT_THAT(wrap(a_token, role), IsOk());
  }
  EXPECT_THAT(wrap(a_part, FamilyRole::kPart), IsOk());
  EXPECT_THAT(wrap(a_token, FamilyRole::kPart), ReturnsRv(CKR_WRAPPING_KEY_HANDLE_INVALID));
}

TEST_F(TwoTokens, TheBlobIsWhatCoreOpensToo) {
  const auto part = value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP256));
  const auto certified_as = [&](core::DeviceKind kind) {
    return world_.certificate(kind, part.public_xy());
  };
  const auto device = import_device(icm(), part.public_xy(), certified_as(core::DeviceKind::kPart));
  // The same key as a token: a test may have it both ways, the ICM would not.
  must(icm().create(Attributes()
                        .number(CKA_CLASS, CKO_CERTIFICATE)
                        .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
                        .flag(CKA_TOKEN, true)
                        .bytes(CKA_VALUE, certified_as(core::DeviceKind::kToken))));
  for (const auto role : {FamilyRole::kProvisioning, FamilyRole::kStation, FamilyRole::kPart}) {
    const auto blob = signed_by_icm(must(
        icm().wrap(with_byte(CKM_TS_FAMILY_WRAP, static_cast<unsigned>(role)), device, family_)));
    const auto opened = value(core::open_family_blob(world_.crypto(), blob, world_.fingerprint(),
                                                     part, [](const auto&) { return false; }));
    EXPECT_EQ(opened.role, role);
    EXPECT_EQ(opened.k_oem_master_share.has_value(), role == FamilyRole::kProvisioning);
    ASSERT_EQ(opened.shares.size(), world_.family().shares.size());
    EXPECT_TRUE(core::equal_in_constant_time(opened.k_oem_share.view(),
                                             world_.family().k_oem_share.view()));
  }
}

TEST_F(TwoTokens, TheSizeIsAskedWithoutABuffer) {
  const auto xy = device_xy(other_);
  const auto device = import_device(icm(), xy, world_.certificate(core::DeviceKind::kToken, xy));
  auto mechanism = with_byte(CKM_TS_FAMILY_WRAP, 2);
  CK_ULONG size = 0;
  must(icm()->C_WrapKey(icm().handle(), mechanism.get(), device, family_, nullptr, &size));
  core::Bytes out(size, 0xEE);
  CK_ULONG small = size - 1;
  EXPECT_THAT(
      icm()->C_WrapKey(icm().handle(), mechanism.get(), device, family_, out.data(), &small),
      ReturnsRv(CKR_BUFFER_TOO_SMALL));
  EXPECT_EQ(small, size);
  EXPECT_EQ(out, core::Bytes(size, 0xEE));
  must(icm()->C_WrapKey(icm().handle(), mechanism.get(), device, family_, out.data(), &size));
  EXPECT_EQ(size, out.size());
}

TEST_F(TwoTokens, WrappingNeedsTheRecipientsCertificateUnderTheFamilysKey) {
  const auto xy = device_xy(other_);
  auto mechanism = with_byte(CKM_TS_FAMILY_WRAP, 2);
  const auto none = import_device(icm(), xy, {}, false);
  EXPECT_THAT(icm().wrap(mechanism, none, family_).rv, ReturnsRv(CKR_WRAPPING_KEY_HANDLE_INVALID));
  const World stranger;
  const auto foreign = import_device(icm(), xy, stranger.certificate(core::DeviceKind::kToken, xy));
  EXPECT_THAT(icm().wrap(mechanism, foreign, family_).rv,
              ReturnsRv(CKR_WRAPPING_KEY_HANDLE_INVALID));
  const auto another = value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP256));
  (void)import_device(icm(), another.public_xy(),
                      world_.certificate(core::DeviceKind::kToken, another.public_xy()));
  EXPECT_THAT(icm().wrap(mechanism, none, family_).rv, ReturnsRv(CKR_WRAPPING_KEY_HANDLE_INVALID));
}

TEST_F(TwoTokens, AFamilyIsSealedToDeviceKeysOnP256Only) {
  const auto p384 = value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP384));
  const auto key =
      must(icm().create(ec_public_key(core::Curve::kP384, p384.public_xy()).flag(CKA_WRAP, true)));
  EXPECT_THAT(icm().wrap(with_byte(CKM_TS_FAMILY_WRAP, 2), key, family_).rv,
              ReturnsRv(CKR_WRAPPING_KEY_HANDLE_INVALID));
}

TEST_F(TwoTokens, A25_NoOrdinaryKeyLeavesSealedToADevice) {
  const auto xy = device_xy(other_);
  const auto device = import_device(icm(), xy, world_.certificate(core::DeviceKind::kToken, xy));
  const auto readable = must(icm().create(secret_key(CKK_GENERIC_SECRET, core::Bytes(32, 1))
                                              .flag(CKA_SENSITIVE, false)
                                              .flag(CKA_EXTRACTABLE, true)));
  EXPECT_THAT(icm().wrap(with_byte(CKM_TS_FAMILY_WRAP, 2), device, readable).rv,
              ReturnsRv(CKR_KEY_NOT_WRAPPABLE));
}

TEST_F(TwoTokens, WrappingTakesTheRolesOfTokensAndPartsOnly) {
  const auto xy = device_xy(other_);
  const auto device = import_device(icm(), xy, world_.certificate(core::DeviceKind::kToken, xy));
  for (const unsigned role : {0U, 1U, 5U, 6U, 255U}) {
    EXPECT_THAT(icm().wrap(with_byte(CKM_TS_FAMILY_WRAP, role), device, family_).rv,
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
  EXPECT_THAT(icm().wrap(CKM_TS_FAMILY_WRAP, device, family_).rv,
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_THAT(icm().wrap({CKM_TS_FAMILY_WRAP, core::Bytes(2, 2)}, device, family_).rv,
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

TEST_F(TwoTokens, OnlyTheIcmsTokenGivesAFamilyOn) {
  must(take(blob_for(FamilyRole::kProvisioning)));
  const auto xy = device_xy(icm());
  const auto device =
      import_device(recipient(), xy, world_.certificate(core::DeviceKind::kToken, xy));
  EXPECT_NE(recipient()
                .wrap(with_byte(CKM_TS_FAMILY_WRAP, 2), device,
                      family_key(recipient(), world_.family().id))
                .rv,
            CKR_OK);
}

TEST_F(TwoTokens, CheckOneRefusesWhatHasNotTheForm) {
  const auto good = blob_for(FamilyRole::kProvisioning);
  EXPECT_THAT(take(core::Bytes()).rv, ::testing::Not(IsOk()));
  for (const std::size_t size : {1UL, 216UL, 480UL}) {
    EXPECT_NE(take(core::ByteView(good).first(size)).rv, CKR_OK) << size;
  }
  for (const std::size_t at : {0UL, 5UL, 6UL, 7UL}) {
    auto damaged = good;
    damaged[at] ^= 0x10U;
    EXPECT_THAT(take(damaged).rv, ReturnsRv(CKR_WRAPPED_KEY_INVALID)) << at;
  }
  EXPECT_EQ(families_there(), 0U);
}

TEST_F(TwoTokens, CheckTwoRefusesAnotherFingerprint) {
  const auto good = blob_for(FamilyRole::kProvisioning);
  auto other = world_.fingerprint();
  other[0] ^= 1U;
  EXPECT_THAT(take(good, other).rv, ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  EXPECT_THAT(take(good, core::ByteView(world_.fingerprint()).first(31)).rv,
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_THAT(take(good, {}).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_EQ(families_there(), 0U);
}

TEST_F(TwoTokens, CheckThreeRefusesEveryFlippedByte) {
  const auto good = blob_for(FamilyRole::kProvisioning);
  for (std::size_t at = 0; at < good.size(); at += 7) {
    auto damaged = good;
    damaged[at] ^= 1U;
    ASSERT_THAT(take(damaged).rv, ReturnsRv(CKR_WRAPPED_KEY_INVALID)) << at;
  }
  EXPECT_EQ(families_there(), 0U);
}

TEST_F(TwoTokens, CheckFourRefusesABlobForAnotherDevice) {
  const auto stranger = value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP256));
  EXPECT_THAT(take(world_.family_blob(FamilyRole::kProvisioning, stranger.public_xy())).rv,
              ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  EXPECT_EQ(families_there(), 0U);
}

TEST_F(TwoTokens, CheckFiveRefusesAFamilyThatIsThere) {
  const auto blob = blob_for(FamilyRole::kProvisioning);
  must(take(blob));
  EXPECT_THAT(take(blob).rv, ReturnsRv(CKR_FUNCTION_REJECTED));
  EXPECT_THAT(take(world_.family_blob(FamilyRole::kStation, device_xy(other_))).rv,
              ReturnsRv(CKR_FUNCTION_REJECTED));
  EXPECT_EQ(families_there(), 1U);
  EXPECT_EQ(recipient().number(family_key(recipient(), world_.family().id), CKA_TS_ROLE),
            CK_TS_ROLE_PROVISIONING);
}

TEST_F(TwoTokens, CheckSixRefusesSealedBytesThatDoNotOpenThoughTheyAreSigned) {
  const auto blob = blob_for(FamilyRole::kProvisioning);
  const core::Bytes body(blob.begin(), blob.end() - 96);
  for (const std::size_t at : {std::size_t{60}, std::size_t{220}, body.size() - 1}) {
    auto damaged = body;  // E, the salt, the last tag
    damaged[at] ^= 1U;
    EXPECT_THAT(take(signed_by_icm(damaged)).rv, ReturnsRv(CKR_WRAPPED_KEY_INVALID)) << at;
  }
  EXPECT_EQ(families_there(), 0U);
}

// The vectors' blobs are for devices with keys of their own, which no token can hold; what a token
// sees of them it refuses, without leaving anything behind.
TEST_F(TwoTokens, NoFamilyBlobOfTheRejectVectorsIsTaken) {
  std::size_t tried = 0;
  const auto file = load_vectors("ts1/reject.json");
  for (const auto& test : file["tests"]) {
    if (test["kind"] != "family_blob") continue;
    const auto blob = unhex(test["blob"]);
    const auto fingerprint = unhex(test["fingerprint"]);
    EXPECT_NE(take(blob, fingerprint).rv, CKR_OK) << test["why"];
    ++tried;
  }
  EXPECT_GT(tried, 0U);
  EXPECT_EQ(families_there(), 0U);
}

TEST_F(TwoTokens, TheFamilyOpensWithTheDeviceKeyAlone) {
  const auto blob = blob_for(FamilyRole::kProvisioning);
  const auto pair = generate_ec(other_, core::Curve::kP256);
  const auto& fingerprint = world_.fingerprint();
  EXPECT_NE(other_
                .unwrap({CKM_TS_FAMILY_WRAP, {fingerprint.begin(), fingerprint.end()}},
                        pair.private_key, blob, {})
                .rv,
            CKR_OK);
  const auto unwraps =
      generate_ec(other_, core::Curve::kP256, {}, Attributes().flag(CKA_UNWRAP, true));
  EXPECT_THAT(other_
                  .unwrap({CKM_TS_FAMILY_WRAP, {fingerprint.begin(), fingerprint.end()}},
                          unwraps.private_key, blob, {})
                  .rv,
              ReturnsRv(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT));
}

TEST_F(TwoTokens, A21_TheTemplateLoosensNothing) {
  const auto blob = blob_for(FamilyRole::kProvisioning);
  const auto& fingerprint = world_.fingerprint();
  const Mechanism mechanism(CKM_TS_FAMILY_WRAP, {fingerprint.begin(), fingerprint.end()});
  const auto key = device_key(other_, CKO_PRIVATE_KEY);
  for (const auto& loose :
       {Attributes().flag(CKA_SENSITIVE, false), Attributes().flag(CKA_EXTRACTABLE, true),
        Attributes().flag(CKA_PRIVATE, false), Attributes().flag(CKA_DESTROYABLE, true),
        Attributes().flag(CKA_COPYABLE, true), Attributes().flag(CKA_MODIFIABLE, true),
        Attributes().flag(CKA_TOKEN, false), Attributes().flag(CKA_DERIVE, true),
        Attributes().flag(CKA_SIGN, true), Attributes().number(CKA_TS_ROLE, CK_TS_ROLE_ICM)}) {
    EXPECT_NE(other_.unwrap(mechanism, key, blob, loose).rv, CKR_OK);
  }
  EXPECT_EQ(families_there(), 0U);
}

// Claims 2 and 12: the immutable portion.
class ImmutableFamily : public ::testing::Test {
 protected:
  FamilyToken token_;
  core::FamilyId id_ = token_.world().family().id;
};

TEST_F(ImmutableFamily, SurvivesInitTokenWithItsSoftware) {
  auto share_before = must(token_.make_share());
  EXPECT_NE(share_before, 0U);
  token_.close_session();
  must(init_token(token_.functions(), token_.slot(), kSoPin, "test"));
  {
    Session so(token_.functions(), token_.slot());
    must(so.login(CKU_SO, kSoPin));
    must(so.init_pin(kUserPin));
  }
  token_.open_and_login();
  const auto family = family_key(token_.session(), id_);
  EXPECT_EQ(token_.session().number(family, CKA_TS_SW_VERSION), 1U);
  EXPECT_THAT(token_.make_share().rv, IsOk());
}

TEST_F(ImmutableFamily, SurvivesInitPin) {
  must(token_.session().logout());
  must(token_.session().login(CKU_SO, kSoPin));
  must(token_.session().init_pin("another PIN"));
  must(token_.session().logout());
  must(token_.session().login(CKU_USER, "another PIN"));
  EXPECT_THAT(token_.make_share().rv, IsOk());
}

TEST_F(ImmutableFamily, SurvivesARestart) {
  token_.restart_and_login();
  EXPECT_THAT(token_.make_share().rv, IsOk());
}

TEST_F(ImmutableFamily, CannotBeReadThroughAnyAttribute) {
  auto& session = token_.session();
  const auto family = token_.family();
  EXPECT_THAT(session.get(family, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
  // No attribute, standard or ours, holds any of the secrets.
  const auto& secrets = token_.world().family();
  std::vector<core::ByteView> hidden = {secrets.k_oem_share.view(),
                                        secrets.k_oem_master_share->view()};
  for (const auto& share : secrets.shares) hidden.push_back(share.view());
  std::size_t readable = 0;
  const auto look = [&](CK_ATTRIBUTE_TYPE type) {
    const auto read = session.get(family, type);
    if (read.rv != CKR_OK) return;
    ++readable;
    for (const auto secret : hidden) {
      EXPECT_FALSE(holds(read.value, secret)) << std::hex << type;
    }
  };
  for (CK_ATTRIBUTE_TYPE type = 0; type < 0x800; ++type) look(type);
  for (CK_ATTRIBUTE_TYPE type = 0x80545300UL; type < 0x80545400UL; ++type) look(type);
  look(CKA_ALLOWED_MECHANISMS);
  EXPECT_GT(readable, 15U);
}

TEST_F(ImmutableFamily, CannotBeDestroyedCopiedOrChanged) {
  auto& session = token_.session();
  const auto family = token_.family();
  EXPECT_THAT(session.destroy(family), ReturnsRv(CKR_ACTION_PROHIBITED));
  EXPECT_THAT(session.copy(family, {}).rv, ReturnsRv(CKR_ACTION_PROHIBITED));
  EXPECT_THAT(session.set(family, Attributes().text(CKA_LABEL, "mine")),
              ReturnsRv(CKR_ACTION_PROHIBITED));
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_EXTRACTABLE, CKA_SENSITIVE, CKA_DESTROYABLE, CKA_MODIFIABLE, CKA_COPYABLE}) {
    EXPECT_NE(session.set(family, Attributes().flag(type, type == CKA_EXTRACTABLE)), CKR_OK);
  }
  must(session.logout());
  must(session.login(CKU_SO, kSoPin));
  EXPECT_NE(session.destroy(family), CKR_OK);
  EXPECT_NE(session.set(family, Attributes().text(CKA_LABEL, "mine")), CKR_OK);
}

TEST_F(ImmutableFamily, ServesNoStandardMechanism) {
  auto& session = token_.session();
  const auto family = token_.family();
  Gcm gcm(core::Bytes(12, 1));
  EXPECT_NE(session.encrypt(gcm, family, bytes("x")).rv, CKR_OK);
  EXPECT_NE(session.decrypt(gcm, family, core::Bytes(32)).rv, CKR_OK);
  for (const CK_MECHANISM_TYPE type :
       {CKM_AES_CMAC, CKM_SHA256_HMAC, CKM_SHA384_HMAC, CKM_ECDSA, CKM_ECDSA_SHA256}) {
    EXPECT_NE(session.sign(type, family, bytes("x")).rv, CKR_OK);
  }
  const auto kek = generate_aes(session, Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  EXPECT_NE(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, family).rv, CKR_OK);
  const auto key = generate_aes(session, Attributes().flag(CKA_EXTRACTABLE, true));
  EXPECT_NE(session.wrap(CKM_AES_KEY_WRAP_KWP, family, key).rv, CKR_OK);
  Mechanism sha(CKM_SHA256);
  must(token_->C_DigestInit(token_.handle(), sha.get()));
  EXPECT_THAT(token_->C_DigestKey(token_.handle(), family), ReturnsRv(CKR_KEY_INDIGESTIBLE));
}

TEST_F(ImmutableFamily, IsNotSeenBeforeLogin) {
  must(token_.session().logout());
  EXPECT_TRUE(token_.session().find(Attributes().number(CKA_KEY_TYPE, CKK_TS_FAMILY)).empty());
}

}  // namespace
}  // namespace tallystick::test
