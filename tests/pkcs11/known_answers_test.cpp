// Known answers of the profile through C_*: tokens that hold the families of the vectors.
//
// A family enters a token sealed to its device key and signed by an ICM, so a test that knows the
// secrets of a vector makes the ICM itself.
#include <gtest/gtest.h>

#include "core/ts1/family_blob.h"
#include "core/ts1/generated_asset.h"
#include "tests/pkcs11/support/vectors.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

using core::Suite;
using nlohmann::json;

core::Secret secret_of(const json& hex) {
  const auto plain = unhex(hex);
  return core::Secret::copy_of(plain);
}

class VectorToken : public TestToken {
 public:
  VectorToken(const json& vector, std::uint8_t flags, std::uint32_t software_version)
      : icm_(value(core::EcPrivateKey::generate(*shared_crypto(), core::Curve::kP384))) {
    core::Family family;
    family.id = core::array_of<16>(unhex(vector["family_id"]));
    family.flags = flags;
    family.role = core::FamilyRole::kIcm;
    for (int i = 0; i < 2; ++i) family.shares.push_back(value(shared_crypto()->random_secret(32)));
    family.k_oem_share = secret_of(vector["k_oem_share"]);
    family.k_oem_master_share = vector.contains("k_oem_master_share")
                                    ? secret_of(vector["k_oem_master_share"])
                                    : value(shared_crypto()->random_secret(32));
    family.icm_public_key = core::array_of<core::kIcmKeySize>(icm_.public_xy());
    take(family);
    install_software(family.id, software_version);
    shares_ = std::move(family.shares);
  }

  // What K_ENCK of suite 1 gives of a sealed asset, by the profile's G and KDF.
  [[nodiscard]] core::Bytes open_in_core(const core::Context& context,
                                         const core::Secret& oem_share,
                                         core::ByteView asset_context,
                                         core::ByteView sealed) const {
    const auto& crypto = *shared_crypto();
    const auto master = value(core::derive_master_key(crypto, context, shares_, oem_share.view()));
    const auto key = value(
        core::derive_asset_key(crypto, context, master.view(), Suite::kGcm, core::kLabelEncKey));
    const auto plain = value(core::open(crypto, Suite::kGcm, key.view(), asset_context, sealed));
    return {plain.view().begin(), plain.view().end()};
  }

  [[nodiscard]] CK_OBJECT_HANDLE family() {
    return session().find(Attributes().number(CKA_KEY_TYPE, CKK_TS_FAMILY)).at(0);
  }
  CK_RV take_role1(const core::Bytes& blob) {
    return session().unwrap(CKM_TS_OEM_SHARE_WRAP, family(), blob, {}).rv;
  }
  Answer<CK_OBJECT_HANDLE> regenerate_from(const core::Bytes& blob, const core::Bytes& oem_scalar) {
    const auto oem =
        value(core::EcPrivateKey::from_scalar(*shared_crypto(), core::Curve::kP384, oem_scalar));
    return session().unwrap(
        regenerate(*shared_crypto(), oem, device_id(session()), device_nonce(session()), blob),
        family(), blob, {});
  }

 private:
  void take(const core::Family& family) {
    const auto recipient = value(
        core::EcPublicKey::from_xy(*shared_crypto(), core::Curve::kP256, device_xy(session())));
    auto blob = value(core::seal_family_blob(*shared_crypto(), family,
                                             core::FamilyRole::kProvisioning, recipient));
    const auto signature = value(icm_.sign(*shared_crypto(), {blob}));
    blob.insert(blob.end(), signature.begin(), signature.end());
    const auto fingerprint = value(core::icm_fingerprint(*shared_crypto(), icm_.public_xy()));
    (void)must(session().unwrap({CKM_TS_FAMILY_WRAP, {fingerprint.begin(), fingerprint.end()}},
                                device_key(session(), CKO_PRIVATE_KEY), blob, {}));
  }
  void install_software(const core::FamilyId& id, std::uint32_t version) {
    const auto payload = value(core::Permissions::encode(all_permissions()));
    const auto header =
        value(core::software_header(*shared_crypto(), {kForAll, version, id, "vectors"}, payload));
    const auto signature = value(icm_.sign(*shared_crypto(), {header}));
    (void)must(install(session(), value(core::assemble_software(header, signature, payload))));
  }

  core::EcPrivateKey icm_;
  std::vector<core::Secret> shares_;
};

TEST(KnownAnswers, TheShareBlobsOfTheVectorsAreTakenInAndRegeneratedAsTheySay) {
  const auto file = load_vectors("ts1/share_blobs.json");
  std::size_t checked = 0;
  for (const auto& test : file["tests"]) {
    VectorToken token(test, 0, 0xFFFFFFFFU);
    auto& session = token.session();
    EXPECT_THAT(token.take_role1(unhex(test["role1"])), IsOk());
    const auto share = token.regenerate_from(unhex(test["role2"]), unhex(test["oem_private_key"]));
    ASSERT_THAT(share.rv, IsOk());
    EXPECT_EQ(must(session.get(share.value, CKA_TS_OEM_ID)), unhex(test["oem_id"]));
    EXPECT_EQ(must(session.get(share.value, CKA_TS_SHARE_ID)), unhex(test["share_id"]));
    EXPECT_EQ(session.number(share.value, CKA_TS_SW_FLOOR), test["sw_floor"].get<CK_ULONG>());

    // F gave the OEM_SHARE of the vector: the token's own role 1 blob holds it.
    const auto blob =
        must(session.wrap(with_byte(CKM_TS_OEM_SHARE_WRAP, 1), token.family(), share.value));
    const auto k_oem_share = secret_of(test["k_oem_share"]);
    const auto opened = value(core::open_share_blob(
        *shared_crypto(), value(core::parse_share_blob(blob)), k_oem_share.view()));
    EXPECT_EQ(core::Bytes(opened.view().begin(), opened.view().end()), unhex(test["oem_share"]));
    ++checked;
  }
  EXPECT_EQ(checked, 8U);
}

// H, through the only way that a generated asset has out of the token: sealed into a package.
TEST(KnownAnswers, GeneratedAssetsOfEveryTypeAreThoseOfTheProfile) {
  const auto file = load_vectors("ts1/share_blobs.json");
  const auto& test = file["tests"][0];
  VectorToken token(test, 0, 0xFFFFFFFFU);
  auto& session = token.session();
  const auto share =
      must(token.regenerate_from(unhex(test["role2"]), unhex(test["oem_private_key"])));
  const auto context = context_of(session, share);
  const auto& crypto = *shared_crypto();
  const auto seed = value(core::derive_seed(crypto, context, secret_of(test["rnd_share"]).view(),
                                            secret_of(test["oem_rnd_input"]).view()));
  for (std::uint8_t number = 1; number <= core::kGeneratedTypes; ++number) {
    const auto type = static_cast<core::GeneratedType>(number);
    const std::uint32_t length = type == core::GeneratedType::kBytes ? 100 : 0;
    const auto expected = value(core::package_form(
        crypto, type,
        value(core::generate_asset(crypto, context, seed.view(), {type, "asset", 7, length}))
            .view()));
    const auto made = must(session.derive(asset_generate(number, "asset", 7, length), share, {}));
    const bool is_private =
        session.number(made, CKA_CLASS) == static_cast<CK_ULONG>(CKO_PRIVATE_KEY);

    core::PackageHeader header;
    header.suite = Suite::kGcm;
    header.context = context;
    core::PackageEntry entry;
    entry.kind = is_private ? core::AssetKind::kPrivateKey : core::AssetKind::kSecretKey;
    entry.flags = core::kAssetGenerated;
    entry.name = "asset";
    entry.plaintext_length = expected.size();
    const auto asset_context = value(core::PackageBuilder::create(header, {entry})).seal_context(0);
    const auto sealed =
        session.wrap(seal(asset_context), asset_key(session, share, "TS1/ENCK"), made);
    ASSERT_THAT(sealed.rv, IsOk()) << core::generated_type_name(type);

    EXPECT_EQ(
        token.open_in_core(context, secret_of(test["oem_share"]), asset_context, sealed.value),
        core::Bytes(expected.view().begin(), expected.view().end()))
        << core::generated_type_name(type);
  }
}

// The same key signs or authenticates inside the token and under core's value outside.
TEST(KnownAnswers, AGeneratedMacKeyThatCameThroughAPackageComputesAsTheProfilesValue) {
  const auto file = load_vectors("ts1/share_blobs.json");
  const auto& test = file["tests"][0];
  VectorToken token(test, 0, 0xFFFFFFFFU);
  auto& session = token.session();
  const auto share =
      must(token.regenerate_from(unhex(test["role2"]), unhex(test["oem_private_key"])));
  const auto context = context_of(session, share);
  const auto& crypto = *shared_crypto();
  const auto seed = value(core::derive_seed(crypto, context, secret_of(test["rnd_share"]).view(),
                                            secret_of(test["oem_rnd_input"]).view()));
  const auto expected = value(core::generate_asset(crypto, context, seed.view(),
                                                   {core::GeneratedType::kHmac256, "asset", 0, 0}));
  const auto made = must(session.derive(asset_generate(CK_TS_ASSET_HMAC256, "asset"), share, {}));

  core::PackageHeader header;
  header.suite = Suite::kCcm;
  header.context = context;
  core::PackageEntry entry;
  entry.kind = core::AssetKind::kSecretKey;
  entry.flags = core::kAssetGenerated | core::kAssetSign;
  entry.name = "asset";
  entry.plaintext_length = 32;
  const auto asset_context = value(core::PackageBuilder::create(header, {entry})).seal_context(0);
  const auto sealed = must(
      session.wrap(seal(asset_context), asset_key(session, share, "TS1/ENCK", Suite::kCcm), made));
  const auto target =
      must(session.unwrap(CKM_TS_OEM_SHARE_WRAP, token.family(), unhex(test["role1"]), {}));
  const auto opened =
      must(session.unwrap(open(asset_context), asset_key(session, target, "TS1/ENCK", Suite::kCcm),
                          sealed, Attributes().number(CKA_KEY_TYPE, CKK_SHA256_HMAC)));
  const auto ordinary =
      must(session.create(secret_key(CKK_SHA256_HMAC, expected.view()).flag(CKA_SIGN, true)));
  EXPECT_EQ(must(session.sign(CKM_SHA256_HMAC, opened, bytes("message"))),
            must(session.sign(CKM_SHA256_HMAC, ordinary, bytes("message"))));
}

TEST(KnownAnswers, RoleOneBlobsOfTheRejectVectorsAreRefusedByATokenOfTheirFamily) {
  const auto file = load_vectors("ts1/reject.json");
  const auto good = load_vectors("ts1/share_blobs.json");
  std::size_t tried = 0;
  for (const auto& test : file["tests"]) {
    if (test["kind"] != "share_blob" || unhex(test["blob"]).size() != core::kShareBlobSize)
      continue;
    const bool counted = test["counted"].get<bool>();
    VectorToken token(test, counted ? core::kFamilyCounted : std::uint8_t{0},
                      test["software_version"].get<std::uint32_t>());
    EXPECT_NE(token.take_role1(unhex(test["blob"])), CKR_OK) << test["why"];
    // The same token takes the blob that was not tampered with, unless its family is counted.
    for (const auto& vector : good["tests"]) {
      if (vector["family_id"] != test["family_id"]) continue;
      EXPECT_EQ(token.take_role1(unhex(vector["role1"])) == CKR_OK, !counted) << test["why"];
      ++tried;
    }
  }
  EXPECT_GE(tried, 5U);
}

}  // namespace
}  // namespace tallystick::test
