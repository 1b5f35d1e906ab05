// Profile objects: which OASIS profiles the token says it meets, and that what they ask is there.
#include <gtest/gtest.h>

#include <array>
#include <map>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::map<CK_ULONG, CK_OBJECT_HANDLE> profiles(const Session& session) {
  std::map<CK_ULONG, CK_OBJECT_HANDLE> found;
  for (const auto object : session.find(Attributes().number(CKA_CLASS, CKO_PROFILE))) {
    found[session.number(object, CKA_PROFILE_ID)] = object;
  }
  return found;
}

std::vector<CK_ULONG> claimed(const Session& session) {
  std::vector<CK_ULONG> ids;
  for (const auto& [id, object] : profiles(session)) ids.push_back(id);
  return ids;
}

const std::vector<CK_ULONG> kClaimed = {CKP_BASELINE_PROVIDER, CKP_EXTENDED_PROVIDER,
                                        CKP_AUTHENTICATION_TOKEN, CKP_HKDF_TLS_TOKEN};

TEST(Profiles, AreThereBeforeAnybodyLoggedIn) {
  TestToken token;
  token.restart();
  const Session session(token.functions(), token.slot(), CKF_SERIAL_SESSION);
  EXPECT_EQ(claimed(session), kClaimed);
  const auto baseline = session.find(Attributes().number(CKA_PROFILE_ID, CKP_BASELINE_PROVIDER));
  ASSERT_THAT(baseline, SizeIs(1));
  EXPECT_EQ(session.number(baseline[0], CKA_CLASS), CKO_PROFILE);
  EXPECT_EQ(must(session.get(baseline[0], CKA_LABEL)), bytes("Baseline Provider"));
  EXPECT_TRUE(session.flag(baseline[0], CKA_TOKEN));
  for (const auto no : {CKA_PRIVATE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE}) {
    EXPECT_FALSE(session.flag(baseline[0], no));
  }
}

TEST(Profiles, KeepTheirIdsAndOutliveTheTokensContents) {
  TestToken token;
  const auto ids = [](const Session& session) {
    std::map<CK_ULONG, core::Bytes> all;
    for (const auto& [profile, object] : profiles(session)) {
      all[profile] = must(session.get(object, CKA_UNIQUE_ID));
    }
    return all;
  };
  const auto before = ids(token.session());
  token.close_session();
  ASSERT_THAT(init_token(token.functions(), token.slot(), kSoPin, "anew"), IsOk());
  {
    const Session session(token.functions(), token.slot());
    EXPECT_EQ(ids(session), before);
  }
  token.restart();
  const Session session(token.functions(), token.slot());
  EXPECT_EQ(ids(session), before);
  EXPECT_THAT(before, SizeIs(kClaimed.size()));
}

TEST(Profiles, AreNobodysToMakeChangeCopyOrDestroy) {
  TestToken token;
  auto& session = token.session();
  for (const auto& [id, object] : profiles(session)) {
    EXPECT_THAT(session.set(object, Attributes().text(CKA_LABEL, "mine")),
                ReturnsRv(CKR_ACTION_PROHIBITED));
    EXPECT_THAT(session.copy(object, Attributes().flag(CKA_TOKEN, false)).rv,
                ReturnsRv(CKR_ACTION_PROHIBITED));
    EXPECT_THAT(session.destroy(object), ReturnsRv(CKR_ACTION_PROHIBITED));
  }
  EXPECT_THAT(session
                  .create(Attributes()
                              .number(CKA_CLASS, CKO_PROFILE)
                              .number(CKA_PROFILE_ID, CKP_COMPLETE_PROVIDER))
                  .rv,
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  EXPECT_EQ(claimed(session), kClaimed);
}

// PKCS#11 Profiles 3.1, section 5.6: these infos are never refused.
TEST(Profiles, TheHkdfOfTlsDerivesInitialisationVectors) {
  TestToken token;
  auto& session = token.session();
  const auto base = must(session.create(
      secret_key(CKK_HKDF, core::Bytes(32, 7)).flag(CKA_DERIVE, true).flag(CKA_SIGN, false)));
  for (const std::string label : {"tls iv", "tls quic iv"}) {
    for (const std::uint8_t length : {std::uint8_t{12}, std::uint8_t{16}}) {
      core::Bytes info = {0, length};
      info.insert(info.end(), label.begin(), label.end());
      info.push_back(0);
      Hkdf hkdf(CKM_SHA256, info, CKM_HKDF_DATA);
      const auto data =
          must(session.derive(hkdf, base, Attributes().number(CKA_VALUE_LEN, length)));
      EXPECT_EQ(session.number(data, CKA_CLASS), CKO_DATA);
      EXPECT_THAT(must(session.get(data, CKA_VALUE)), SizeIs(length));
    }
  }
}

}  // namespace
}  // namespace tallystick::test
