// Managed keys on every path: no attribute changes, no copies, no other mechanism, no way out.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <memory>

#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/symmetric.h"
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

// The mechanism with a parameter that is right for it, where it takes one.
std::unique_ptr<Mechanism> parameters(CK_MECHANISM_TYPE type) {
  switch (type) {
    case CKM_AES_GCM:
      return std::make_unique<Gcm>(core::Bytes(12, 1));
    case CKM_AES_CCM:
      return std::make_unique<Ccm>(16, core::Bytes(12, 1));
    case CKM_AES_CBC:
    case CKM_AES_CBC_PAD:
      return std::make_unique<Mechanism>(type, core::Bytes(16, 1));
    case CKM_AES_CTR:
      return std::make_unique<Mechanism>(ctr(core::Bytes(16, 1), 32));
    case CKM_HKDF_DERIVE:
    case CKM_HKDF_DATA:
      return std::make_unique<Hkdf>(CKM_SHA256, bytes("info"), type);
    case CKM_SP800_108_COUNTER_KDF: {
      auto kdf = std::make_unique<CounterKdf>(CKM_SHA256_HMAC);
      kdf->counter().bytes(bytes("label"));
      return kdf;
    }
    case CKM_ECDH1_DERIVE:
    case CKM_ECDH1_COFACTOR_DERIVE:
      return std::make_unique<Ecdh>(point_of(libcrypto_key("P-256").get()), CKD_NULL, core::Bytes(),
                                    type);
    case CKM_RSA_PKCS_OAEP:
      return std::make_unique<Oaep>(CKM_SHA256, CKG_MGF1_SHA256);
    case CKM_RSA_PKCS_PSS:
    case CKM_SHA256_RSA_PKCS_PSS:
      return std::make_unique<Mechanism>(pss(type, CKM_SHA256, CKG_MGF1_SHA256, 32));
    case CKM_SHA256_HMAC_GENERAL:
    case CKM_AES_CMAC_GENERAL:
      return std::make_unique<Mechanism>(with_number(type, 16));
    default:
      return std::make_unique<Mechanism>(type);
  }
}

std::vector<CK_ULONG> numbers(const Session& session, CK_OBJECT_HANDLE object,
                              CK_ATTRIBUTE_TYPE type) {
  const auto value = must(session.get(object, type));
  std::vector<CK_ULONG> out(value.size() / sizeof(CK_ULONG));
  if (!value.empty()) std::memcpy(out.data(), value.data(), value.size());
  return out;
}

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

TEST_P(ManagedKeys, A01_A12_A17_A19_AreSensitiveAndHaveNoWayOutButTheirOwn) {
  const auto key = must(make());
  EXPECT_TRUE(session_.flag(key, CKA_SENSITIVE));
  EXPECT_TRUE(session_.flag(key, CKA_PRIVATE));
  EXPECT_FALSE(session_.flag(key, CKA_COPYABLE));
  EXPECT_FALSE(session_.flag(key, CKA_MODIFIABLE));
  EXPECT_EQ(session_.flag(key, CKA_EXTRACTABLE), GetParam().extractable);
  EXPECT_THAT(session_.get(key, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
  const auto not_wrapped =
      ::testing::AnyOf(ReturnsRv(CKR_KEY_NOT_WRAPPABLE), ReturnsRv(CKR_KEY_UNEXTRACTABLE));
  const auto kek = generate_aes(session_, Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  for (const auto type : {CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP}) {
    const auto mechanism = parameters(type);
    EXPECT_THAT(session_.wrap(*mechanism, kek, key).rv, not_wrapped) << std::hex << type;
  }
  GcmMessage gcm;
  auto mechanism = gcm.mechanism();
  CK_ULONG size = 0;
  EXPECT_THAT(token_.module().v32()->C_WrapKeyAuthenticated(session_.handle(), &mechanism, kek, key,
                                                            nullptr, 0, nullptr, &size),
              not_wrapped);
  const auto pair = generate_rsa(session_, 2048, Attributes().flag(CKA_WRAP, true),
                                 Attributes().flag(CKA_UNWRAP, true));
  const auto oaep = parameters(CKM_RSA_PKCS_OAEP);
  EXPECT_THAT(session_.wrap(*oaep, pair.public_key, key).rv, not_wrapped);
  Mechanism sha(CKM_SHA256);
  must(token_->C_DigestInit(token_.handle(), sha.get()));
  EXPECT_THAT(token_->C_DigestKey(token_.handle(), key), ReturnsRv(CKR_KEY_INDIGESTIBLE));
}

TEST_P(ManagedKeys, A05_A07_A08_AreNeitherCopiedNorChanged) {
  const auto key = must(make());
  EXPECT_THAT(session_.copy(key, {}).rv, ReturnsRv(CKR_ACTION_PROHIBITED));
  EXPECT_THAT(session_.copy(key, Attributes().flag(CKA_TOKEN, true)).rv,
              ReturnsRv(CKR_ACTION_PROHIBITED));
  for (const CK_ATTRIBUTE_TYPE type : {CKA_LABEL, CKA_ID}) {
    EXPECT_THAT(session_.set(key, Attributes().text(type, "x")), ReturnsRv(CKR_ACTION_PROHIBITED));
  }
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP,
        CKA_UNWRAP, CKA_DERIVE, CKA_COPYABLE, CKA_MODIFIABLE, CKA_DESTROYABLE, CKA_TRUSTED,
        CKA_WRAP_WITH_TRUSTED, CKA_ALWAYS_AUTHENTICATE, CKA_ENCAPSULATE, CKA_DECAPSULATE}) {
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

// Every mechanism of the token, through every function that takes a key.
TEST_P(ManagedKeys, A15_A16_A20_ServeNoMechanismButTheirOwn) {
  const auto key = must(make());
  const auto allowed = numbers(session_, key, CKA_ALLOWED_MECHANISMS);
  const auto ordinary = generate_aes(session_, Attributes().flag(CKA_EXTRACTABLE, true));
  const auto* const c = token_.module().v32();
  const auto s = session_.handle();
  std::size_t tried = 0;
  for (const auto type : token_.module().mechanisms(token_.slot())) {
    if (std::ranges::find(allowed, type) != allowed.end()) continue;
    const auto mechanism = parameters(type);
    auto* const m = mechanism->get();
    EXPECT_NE(c->C_EncryptInit(s, m, key), CKR_OK) << std::hex << type;
    EXPECT_NE(c->C_DecryptInit(s, m, key), CKR_OK) << std::hex << type;
    EXPECT_NE(c->C_SignInit(s, m, key), CKR_OK) << std::hex << type;
    EXPECT_NE(c->C_VerifyInit(s, m, key), CKR_OK) << std::hex << type;
    EXPECT_NE(c->C_MessageEncryptInit(s, m, key), CKR_OK) << std::hex << type;
    EXPECT_NE(c->C_MessageDecryptInit(s, m, key), CKR_OK) << std::hex << type;
    EXPECT_NE(c->C_MessageSignInit(s, m, key), CKR_OK) << std::hex << type;
    EXPECT_NE(c->C_MessageVerifyInit(s, m, key), CKR_OK) << std::hex << type;
    EXPECT_NE(session_.wrap(*mechanism, key, ordinary).rv, CKR_OK) << std::hex << type;
    auto wanted = Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES);
    EXPECT_NE(session_.unwrap(*mechanism, key, core::Bytes(40), wanted).rv, CKR_OK)
        << std::hex << type;
    wanted.number(CKA_VALUE_LEN, 32);
    EXPECT_NE(session_.derive(*mechanism, key, wanted).rv, CKR_OK) << std::hex << type;
    ++tried;
  }
  EXPECT_GT(tried, 100U);
  // Nor as the second key of a derivation.
  Hkdf hkdf(CKM_SHA256);
  hkdf.salt_key(key);
  EXPECT_NE(session_
                .derive(hkdf, base_key(session_, core::Bytes(32, 1)),
                        Attributes().number(CKA_KEY_TYPE, CKK_AES).number(CKA_VALUE_LEN, 32))
                .rv,
            CKR_OK);
}

// The same parameters with a key of their own kind: they are not what was refused above.
TEST(ParametersOfMechanisms, AreOnesThatOrdinaryKeysAreUsedWith) {
  TestToken token;
  auto& session = token.session();
  const auto aes = generate_aes(session);
  for (const auto type : {CKM_AES_GCM, CKM_AES_CCM, CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_CTR}) {
    const auto mechanism = parameters(type);
    EXPECT_THAT(token->C_EncryptInit(token.handle(), mechanism->get(), aes), IsOk());
    EXPECT_THAT(token->C_EncryptInit(token.handle(), nullptr, 0), IsOk());
  }
  const auto base = base_key(session, core::Bytes(32, 1));
  const auto wanted = Attributes()
                          .number(CKA_CLASS, CKO_SECRET_KEY)
                          .number(CKA_KEY_TYPE, CKK_AES)
                          .number(CKA_VALUE_LEN, 32);
  for (const auto type : {CKM_HKDF_DERIVE, CKM_SP800_108_COUNTER_KDF}) {
    EXPECT_THAT(session.derive(*parameters(type), base, wanted).rv, IsOk()) << std::hex << type;
  }
}

// All kinds but those whose name begins so.
std::vector<Kind> kinds_but(std::string_view name) {
  std::vector<Kind> out;
  std::ranges::copy_if(kKinds, std::back_inserter(out), [name](const Kind& kind) {
    return !std::string_view(kind.name).starts_with(name);
  });
  return out;
}

// Generated assets are made to be sealed.
class NotForPackages : public ManagedKeys {};
INSTANTIATE_TEST_SUITE_P(Each, NotForPackages, ::testing::ValuesIn(kinds_but("Generated")),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(NotForPackages, AreNeverSealed) {
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

// The OEM's share is made to be given out.
class NotForOthers : public ManagedKeys {};
INSTANTIATE_TEST_SUITE_P(Each, NotForOthers, ::testing::ValuesIn(kinds_but("OemShare")),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(NotForOthers, DoNotLeaveByTheShareMechanisms) {
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
TEST(ManagedKeysOfARole, A03_A10_NoOtherPathMakesAKeyOfAVendorType) {
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
