// Managed keys on every path: no attribute changes, no copies, no other mechanism, no way out.
#include <gtest/gtest.h>

#include <array>

#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

// One of each managed key, and how it is made (the template is the caller's).
struct Kind {
  const char* name;
  bool extractable;
  Answer<CK_OBJECT_HANDLE> (*make)(FamilyToken& token, const Attributes& wanted);
};

CK_OBJECT_HANDLE oem_master(FamilyToken& token) {
  return master_key(token.session(), must(token.make_share()));
}
CK_OBJECT_HANDLE target_master(FamilyToken& token) {
  return master_key(token.session(), must(token.take_share(OemDesk(token.world()))));
}
Answer<CK_OBJECT_HANDLE> asset(FamilyToken& token, bool oem, const char* label,
                               const Attributes& wanted) {
  return token.session().derive(asset_key_derive(core::Suite::kGcm, label),
                                oem ? oem_master(token) : target_master(token), wanted);
}

constexpr auto kKinds = std::to_array<Kind>({
    {"OemShare", true,
     [](FamilyToken& token, const Attributes& wanted) { return token.make_share(1, wanted); }},
    {"TargetShare", false,
     [](FamilyToken& token, const Attributes& wanted) {
       return token.session().unwrap(CKM_TS_OEM_SHARE_WRAP, token.family(),
                                     OemDesk(token.world()).share_blob(), wanted);
     }},
    {"MasterKey", false,
     [](FamilyToken& token, const Attributes& wanted) {
       return token.session().derive(CKM_TS_MASTER_KEY_DERIVE, must(token.make_share()), wanted);
     }},
    {"KeyOfKeys", false,
     [](FamilyToken& token, const Attributes& wanted) {
       return asset(token, true, "TS1/ENCK", wanted);
     }},
    {"KeyOfData", false,
     [](FamilyToken& token, const Attributes& wanted) {
       return asset(token, true, "TS1/ENCD", wanted);
     }},
    {"KeyOfTags", false,
     [](FamilyToken& token, const Attributes& wanted) {
       return asset(token, true, "TS1/AUTH", wanted);
     }},
    {"KeyOfProofs", false,
     [](FamilyToken& token, const Attributes& wanted) {
       return asset(token, true, "TS1/PROOF", wanted);
     }},
    {"KeyOfAFurtherType", false,
     [](FamilyToken& token, const Attributes& wanted) {
       return asset(token, true, "TS1/X/calibration", wanted);
     }},
    {"TargetsKeyOfKeys", false,
     [](FamilyToken& token, const Attributes& wanted) {
       return asset(token, false, "TS1/ENCK", wanted);
     }},
    {"TargetsKeyOfTags", false,
     [](FamilyToken& token, const Attributes& wanted) {
       return asset(token, false, "TS1/AUTH", wanted);
     }},
    {"GeneratedAes", true,
     [](FamilyToken& token, const Attributes& wanted) {
       return token.session().derive(asset_generate(CK_TS_ASSET_AES256, "x"),
                                     must(token.make_share()), wanted);
     }},
    {"GeneratedPrivateKey", true,
     [](FamilyToken& token, const Attributes& wanted) {
       return token.session().derive(asset_generate(CK_TS_ASSET_P256, "x"),
                                     must(token.make_share()), wanted);
     }},
});

class ManagedKeys : public ::testing::TestWithParam<Kind> {
 protected:
  Answer<CK_OBJECT_HANDLE> make(const Attributes& wanted = {}) {
    return GetParam().make(token_, wanted);
  }
  FamilyToken token_;
  Session& session_ = token_.session();
};
INSTANTIATE_TEST_SUITE_P(Each, ManagedKeys, ::testing::ValuesIn(kKinds),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(ManagedKeys, AreSensitiveAndHaveNoWayOutButTheirOwn) {
  const auto key = must(make());
  EXPECT_TRUE(session_.flag(key, CKA_SENSITIVE));
  EXPECT_TRUE(session_.flag(key, CKA_PRIVATE));
  EXPECT_FALSE(session_.flag(key, CKA_COPYABLE));
  EXPECT_FALSE(session_.flag(key, CKA_MODIFIABLE));
  EXPECT_EQ(session_.flag(key, CKA_EXTRACTABLE), GetParam().extractable);
  EXPECT_THAT(session_.get(key, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
  const auto kek = generate_aes(session_, Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  EXPECT_THAT(session_.wrap(CKM_AES_KEY_WRAP_KWP, kek, key).rv,
              ::testing::AnyOf(ReturnsRv(CKR_KEY_NOT_WRAPPABLE), ReturnsRv(CKR_KEY_UNEXTRACTABLE)));
  Mechanism sha(CKM_SHA256);
  must(token_->C_DigestInit(token_.handle(), sha.get()));
  EXPECT_THAT(token_->C_DigestKey(token_.handle(), key), ReturnsRv(CKR_KEY_INDIGESTIBLE));
}

TEST_P(ManagedKeys, AreNeitherCopiedNorChanged) {
  const auto key = must(make());
  EXPECT_THAT(session_.copy(key, {}).rv, ReturnsRv(CKR_ACTION_PROHIBITED));
  EXPECT_THAT(session_.copy(key, Attributes().flag(CKA_TOKEN, true)).rv,
              ReturnsRv(CKR_ACTION_PROHIBITED));
  for (const CK_ATTRIBUTE_TYPE type : {CKA_LABEL, CKA_ID}) {
    EXPECT_THAT(session_.set(key, Attributes().text(type, "x")), ReturnsRv(CKR_ACTION_PROHIBITED));
  }
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP,
        CKA_UNWRAP, CKA_DERIVE, CKA_COPYABLE, CKA_MODIFIABLE, CKA_DESTROYABLE}) {
    for (const bool value : {false, true}) {
      EXPECT_NE(session_.set(key, Attributes().flag(type, value)), CKR_OK) << std::hex << type;
    }
  }
}

TEST_P(ManagedKeys, A21_NoTemplateLoosensWhatTheMechanismFixed) {
  const auto reference = must(make());
  // Every flag in both directions: either the value that it has anyway, or one that tightens.
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_PRIVATE, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_ENCRYPT,
        CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP, CKA_DERIVE, CKA_TRUSTED,
        CKA_SIGN_RECOVER}) {
    const auto fixed = session_.get(reference, type);
    const bool is_set = fixed.rv == CKR_OK && fixed.value == core::Bytes{CK_TRUE};
    for (const bool wanted : {false, true}) {
      const auto made = make(Attributes().flag(type, wanted));
      if (made.rv != CKR_OK) continue;
      const bool one_way_up = type == CKA_SENSITIVE || type == CKA_PRIVATE;
      const auto now = session_.get(made.value, type);
      const bool now_set = now.rv == CKR_OK && now.value == core::Bytes{CK_TRUE};
      if (one_way_up) {
        EXPECT_TRUE(now_set) << std::hex << type;
      } else {
        EXPECT_TRUE(is_set || !now_set) << std::hex << type;
      }
      must(session_.destroy(made.value));
    }
  }
}

TEST_P(ManagedKeys, A21_A09_NoTemplateChangesWhoseKeyItIs) {
  const auto refused = [&](const Attributes& wanted) { EXPECT_NE(make(wanted).rv, CKR_OK); };
  refused(Attributes().number(CKA_TS_ROLE, CK_TS_ROLE_OEM));
  refused(Attributes().number(CKA_TS_ROLE, CK_TS_ROLE_TARGET));
  refused(Attributes().number(CKA_TS_SW_FLOOR, 0));
  refused(Attributes().bytes(CKA_TS_SHARE_ID, core::Bytes(16, 0)));
  refused(Attributes().bytes(CKA_TS_FAMILY_ID, core::Bytes(16, 0)));
  refused(Attributes().text(CKA_TS_LABEL, "TS1/ENCD"));
  refused(Attributes().number(CKA_TS_SUITE, 2));
  refused(Attributes().number(CKA_KEY_TYPE, CKK_DES));
  refused(Attributes().number(CKA_CLASS, CKO_DATA));
  refused(Attributes().bytes(CKA_VALUE, core::Bytes(32, 0)));
  refused(Attributes().number(CKA_VALUE_LEN, 8));
  refused(Attributes().numbers(CKA_ALLOWED_MECHANISMS, {CKM_AES_GCM}));
  refused(Attributes().flag(CKA_LOCAL, true));
  refused(Attributes().flag(CKA_ALWAYS_SENSITIVE, true));
}

TEST_P(ManagedKeys, A15_A16_ServeNoMechanismButTheirOwn) {
  const auto key = must(make());
  Gcm gcm(core::Bytes(12, 1));
  EXPECT_NE(session_.encrypt(gcm, key, bytes("x")).rv, CKR_OK);
  EXPECT_NE(session_.decrypt(gcm, key, core::Bytes(32)).rv, CKR_OK);
  for (const CK_MECHANISM_TYPE type : {CKM_AES_CMAC, CKM_SHA256_HMAC, CKM_SHA384_HMAC,
                                       CKM_SHA512_HMAC, CKM_ECDSA, CKM_ECDSA_SHA256}) {
    // K_AUTH signs the heads of its own packages, and these bytes are none.
    EXPECT_NE(session_.sign(type, key, bytes("x")).rv, CKR_OK) << std::hex << type;
  }
  const auto ordinary = generate_aes(session_, Attributes().flag(CKA_EXTRACTABLE, true));
  EXPECT_NE(session_.wrap(CKM_AES_KEY_WRAP_KWP, key, ordinary).rv, CKR_OK);
  EXPECT_NE(session_
                .unwrap(CKM_AES_KEY_WRAP_KWP, key, core::Bytes(40),
                        Attributes().number(CKA_CLASS, CKO_SECRET_KEY))
                .rv,
            CKR_OK);
}

TEST_P(ManagedKeys, AreNeverSealedUnlessTheyAreGeneratedAssets) {
  const std::string_view name = GetParam().name;
  if (name.starts_with("Generated")) GTEST_SKIP() << "made to be sealed";
  const auto key = must(make());
  const auto share = must(token_.make_share());
  core::PackageHeader header;
  header.suite = core::Suite::kGcm;
  header.context = context_of(session_, share);
  for (const std::uint8_t flags : {std::uint8_t{0}, core::kAssetGenerated}) {
    for (const std::size_t length : {32UL, 33UL, 65UL, 97UL}) {
      core::PackageEntry entry;
      entry.kind = core::AssetKind::kSecretKey;
      entry.plaintext_length = length;
      entry.flags = flags;
      entry.name = "x";
      const auto context = value(core::PackageBuilder::create(header, {entry})).seal_context(0);
      EXPECT_NE(session_.wrap(seal(context), asset_key(session_, share, "TS1/ENCK"), key).rv,
                CKR_OK);
    }
  }
}

TEST_P(ManagedKeys, LeaveOnlyAsTheyShouldByTheShareMechanisms) {
  const std::string_view name = GetParam().name;
  if (name == "OemShare") GTEST_SKIP() << "made to be given out";
  const auto key = must(make());
  for (const CK_MECHANISM_TYPE type : {CKM_TS_OEM_SHARE_WRAP, CKM_TS_MASTER_SHARE_WRAP}) {
    EXPECT_NE(session_.wrap(with_byte(type, 1), token_.family(), key).rv, CKR_OK);
  }
}

TEST_P(ManagedKeys, CanBeDestroyed) {
  const auto key = must(make());
  EXPECT_THAT(session_.destroy(key), IsOk());
  EXPECT_THAT(session_.destroy(key), ReturnsRv(CKR_OBJECT_HANDLE_INVALID));
}

TEST_P(ManagedKeys, WorkTheSameFromTheTokenAfterARestart) {
  const auto key = must(make(Attributes().flag(CKA_TOKEN, true).text(CKA_ID, "kept")));
  const auto type = session_.number(key, CKA_KEY_TYPE);
  token_.restart_and_login();
  auto& session = token_.session();
  const auto found = session.find(Attributes().text(CKA_ID, "kept"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(session.number(found[0], CKA_KEY_TYPE), type);
  EXPECT_FALSE(session.flag(found[0], CKA_COPYABLE));
  EXPECT_FALSE(session.flag(found[0], CKA_MODIFIABLE));
  EXPECT_TRUE(session.flag(found[0], CKA_SENSITIVE));
  EXPECT_THAT(session.copy(found[0], {}).rv, ReturnsRv(CKR_ACTION_PROHIBITED));
  EXPECT_NE(session.number(found[0], CKA_TS_ROLE), 0U);
  Gcm gcm(core::Bytes(12, 1));
  EXPECT_NE(session.encrypt(gcm, found[0], bytes("x")).rv, CKR_OK);
}

TEST(ManagedKeysOfARole, ATargetHasNoKeyOfProofs) {
  FamilyToken token;
  EXPECT_NE(asset(token, false, "TS1/PROOF", {}).rv, CKR_OK);
}

TEST(ManagedKeysOfARole, TheRoleIsInheritedAlongDerivation) {
  FamilyToken token;
  auto& session = token.session();
  const auto oem = oem_master(token);
  const auto target = target_master(token);
  EXPECT_EQ(session.number(oem, CKA_TS_ROLE), CK_TS_ROLE_OEM);
  EXPECT_EQ(session.number(target, CKA_TS_ROLE), CK_TS_ROLE_TARGET);
  for (const auto* label : {"TS1/ENCK", "TS1/ENCD", "TS1/AUTH"}) {
    const auto derive = [&](CK_OBJECT_HANDLE master) {
      const auto key = must(session.derive(asset_key_derive(core::Suite::kCcm, label), master, {}));
      EXPECT_EQ(must(session.get(key, CKA_TS_LABEL)), bytes(label));
      EXPECT_EQ(session.number(key, CKA_TS_SUITE), 2U);
      return session.number(key, CKA_TS_ROLE);
    };
    EXPECT_EQ(derive(oem), CK_TS_ROLE_OEM);
    EXPECT_EQ(derive(target), CK_TS_ROLE_TARGET);
  }
}

TEST(ManagedKeysOfARole, LabelsAreThoseOfTheProfile) {
  FamilyToken token;
  const auto master = oem_master(token);
  const auto bad = ReturnsRv(CKR_MECHANISM_PARAM_INVALID);
  const auto derive = [&](core::Bytes parameter) {
    return token.session().derive({CKM_TS_ASSET_KEY_DERIVE, std::move(parameter)}, master, {}).rv;
  };
  EXPECT_THAT(derive({}), bad);
  EXPECT_THAT(derive({1}), bad);
  for (const auto* label : {"TS1/ENC", "TS1/ENCKK", "TS1/MK", "TS1/X/", "TS1/X/UPPER", "TS1/H", "x",
                            "TS1/GEN/aes128", "TS1/F"}) {
    auto parameter = bytes(label);
    parameter.insert(parameter.begin(), 1);
    EXPECT_THAT(derive(parameter), bad) << label;
    parameter[0] = 0;
    EXPECT_THAT(derive(parameter), bad) << label;
  }
  auto three = bytes("TS1/ENCD");
  three.insert(three.begin(), 3);
  EXPECT_THAT(derive(three), bad);
  EXPECT_THAT(
      token.session().derive({CKM_TS_MASTER_KEY_DERIVE, {1}}, must(token.make_share()), {}).rv,
      bad);
  // Each from its parent only.
  EXPECT_NE(token.session().derive(CKM_TS_MASTER_KEY_DERIVE, master, {}).rv, CKR_OK);
  EXPECT_NE(
      token.session()
          .derive(asset_key_derive(core::Suite::kGcm, "TS1/ENCD"), must(token.make_share()), {})
          .rv,
      CKR_OK);
  EXPECT_NE(token.session().derive(CKM_TS_MASTER_KEY_DERIVE, token.family(), {}).rv, CKR_OK);
}

// Vendor key types come from vendor mechanisms alone.
TEST(ManagedKeysOfARole, NoOtherPathMakesAKeyOfAVendorType) {
  FamilyToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  const auto blob = must(session.wrap(
      CKM_AES_KEY_WRAP_KWP, kek, generate_aes(session, Attributes().flag(CKA_EXTRACTABLE, true))));
  for (const CK_KEY_TYPE type :
       {CKK_TS_FAMILY, CKK_TS_OEM_SHARE, CKK_TS_MASTER_KEY, CKK_TS_ASSET_KEY}) {
    EXPECT_NE(session.create(secret_key(type, core::Bytes(32, 1))).rv, CKR_OK);
    EXPECT_NE(session
                  .generate(CKM_AES_KEY_GEN,
                            Attributes().number(CKA_VALUE_LEN, 32).number(CKA_KEY_TYPE, type))
                  .rv,
              CKR_OK);
    EXPECT_NE(session
                  .unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob,
                          Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, type))
                  .rv,
              CKR_OK);
  }
}

}  // namespace
}  // namespace tallystick::test
