// Sessions and the table of states (A44).
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

constexpr CK_FLAGS kReadOnly = CKF_SERIAL_SESSION;

CK_RV open(TestToken& token, CK_FLAGS flags) {
  CK_SESSION_HANDLE session = 0;
  const auto rv = token->C_OpenSession(token.slot(), flags, nullptr, nullptr, &session);
  if (rv == CKR_OK) must(token->C_CloseSession(session));
  return rv;
}

TEST(Sessions, MustBeSerial) {
  TestToken token;
  EXPECT_THAT(open(token, 0), ReturnsRv(CKR_SESSION_PARALLEL_NOT_SUPPORTED));
  EXPECT_THAT(open(token, CKF_RW_SESSION), ReturnsRv(CKR_SESSION_PARALLEL_NOT_SUPPORTED));
}

TEST(Sessions, A44_EveryStateIsThatOfTheStandardsTable) {
  TestToken token;
  must(token.session().logout());
  Session read_only(token.functions(), token.slot(), kReadOnly);
  Session& read_write = token.session();
  const auto states = [&] { return std::pair(read_only.state(), read_write.state()); };
  using Pair = std::pair<CK_STATE, CK_STATE>;
  EXPECT_EQ(states(), Pair(CKS_RO_PUBLIC_SESSION, CKS_RW_PUBLIC_SESSION));
  must(read_only.login(CKU_USER, kUserPin));
  EXPECT_EQ(states(), Pair(CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS));
  must(read_write.logout());
  EXPECT_EQ(states(), Pair(CKS_RO_PUBLIC_SESSION, CKS_RW_PUBLIC_SESSION));
}

TEST(Sessions, A44_TheSoAndReadOnlySessionsExcludeEachOther) {
  TestToken token;
  must(token.session().logout());
  {
    Session read_only(token.functions(), token.slot(), kReadOnly);
    EXPECT_THAT(token.session().login(CKU_SO, kSoPin), ReturnsRv(CKR_SESSION_READ_ONLY_EXISTS));
  }
  must(token.session().login(CKU_SO, kSoPin));
  EXPECT_EQ(token.session().state(), static_cast<CK_STATE>(CKS_RW_SO_FUNCTIONS));
  EXPECT_THAT(open(token, kReadOnly), ReturnsRv(CKR_SESSION_READ_WRITE_SO_EXISTS));
  EXPECT_THAT(open(token, kReadOnly | CKF_RW_SESSION), IsOk());
}

TEST(Sessions, A44_OnlyOneLoginAtATime) {
  TestToken token;
  EXPECT_THAT(token.session().login(CKU_USER, kUserPin), ReturnsRv(CKR_USER_ALREADY_LOGGED_IN));
  EXPECT_THAT(token.session().login(CKU_SO, kSoPin), ReturnsRv(CKR_USER_ANOTHER_ALREADY_LOGGED_IN));
  must(token.session().logout());
  EXPECT_THAT(token.session().logout(), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
  must(token.session().login(CKU_SO, kSoPin));
  EXPECT_THAT(token.session().login(CKU_SO, kSoPin), ReturnsRv(CKR_USER_ALREADY_LOGGED_IN));
  EXPECT_THAT(token.session().login(CKU_USER, kUserPin),
              ReturnsRv(CKR_USER_ANOTHER_ALREADY_LOGGED_IN));
}

TEST(Sessions, LoginKnowsNoOtherUsers) {
  TestToken token;
  must(token.session().logout());
  EXPECT_THAT(token.session().login(7, kUserPin), ReturnsRv(CKR_USER_TYPE_INVALID));
  EXPECT_THAT(token.session().login(CKU_CONTEXT_SPECIFIC, kUserPin),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
}

TEST(Sessions, A44_ALoginIsNotSeenByAnotherProcess) {
  TestToken token;
  EXPECT_EQ(in_child([&] {
              must(token->C_Initialize(nullptr));
              Session session(token.functions(), token.slot());
              return session.state() == CKS_RW_PUBLIC_SESSION ? 0 : 1;
            }),
            0);
}

TEST(Sessions, A44_TheLastSessionClosedEndsTheLogin) {
  TestToken token;
  const auto slot = token.slot();
  {
    Session second(token.functions(), slot, kReadOnly);
    token.close_session();
    EXPECT_EQ(second.state(), static_cast<CK_STATE>(CKS_RO_USER_FUNCTIONS));
  }
  Session third(token.functions(), slot);
  EXPECT_EQ(third.state(), static_cast<CK_STATE>(CKS_RW_PUBLIC_SESSION));
}

TEST(Sessions, CloseAllSessionsClosesThoseOfOneSlotOnly) {
  TestToken token;
  const auto other_slot = make_token(token.module(), "other");
  Session other(token.functions(), other_slot);
  must(token->C_CloseAllSessions(token.slot()));
  CK_SESSION_INFO info{};
  EXPECT_THAT(token->C_GetSessionInfo(token.handle(), &info),
              ReturnsRv(CKR_SESSION_HANDLE_INVALID));
  EXPECT_THAT(token->C_GetSessionInfo(other.handle(), &info), IsOk());
  EXPECT_EQ(info.slotID, other_slot);
}

TEST(Sessions, A44_ALogoutInOneSessionEndsEverySessionsPrivateWork) {
  TestToken token;
  Session second(token.functions(), token.slot());
  const auto session_key = generate_aes(second);
  const auto token_key = generate_aes(second, Attributes().flag(CKA_TOKEN, true));
  Gcm gcm(core::Bytes(12, 1));
  must(second->C_EncryptInit(second.handle(), gcm.get(), session_key));
  must(token.session().logout());

  core::Bytes out(64);
  CK_ULONG size = out.size();
  auto data = bytes("data");
  EXPECT_THAT(second->C_Encrypt(second.handle(), data.data(), data.size(), out.data(), &size),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  EXPECT_THAT(second.encrypt(gcm, session_key, data).rv, ReturnsRv(CKR_KEY_HANDLE_INVALID));
  EXPECT_THAT(second.encrypt(gcm, token_key, data).rv, ReturnsRv(CKR_KEY_HANDLE_INVALID));
  must(token.session().login(CKU_USER, kUserPin));
  // Session objects that were private are destroyed, token objects get new handles.
  EXPECT_THAT(second.encrypt(gcm, session_key, data).rv, ReturnsRv(CKR_KEY_HANDLE_INVALID));
  EXPECT_EQ(second.find(Attributes().number(CKA_KEY_TYPE, CKK_AES)).size(), 1U);
}

TEST(Sessions, A44_PrivateObjectsAreTheUsersAlone) {
  TestToken token;
  (void)data_object(token.session(), "private", true, true);
  (void)data_object(token.session(), "public", true, false);
  const auto visible = [&] {
    return token.session().find(Attributes().number(CKA_CLASS, CKO_DATA)).size();
  };
  const auto create = [&](bool is_private) {
    return token.session()
        .create(Attributes().number(CKA_CLASS, CKO_DATA).flag(CKA_PRIVATE, is_private))
        .rv;
  };
  EXPECT_EQ(visible(), 2U);
  must(token.session().logout());
  EXPECT_EQ(visible(), 1U);
  EXPECT_THAT(create(true), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
  EXPECT_THAT(token.session().generate(CKM_AES_KEY_GEN, aes_template(32)).rv,
              ReturnsRv(CKR_USER_NOT_LOGGED_IN));
  must(token.session().login(CKU_SO, kSoPin));
  EXPECT_EQ(visible(), 1U);
  EXPECT_THAT(create(true), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
  EXPECT_THAT(create(false), IsOk());
}

TEST(Sessions, A44_ReadOnlySessionsMakeAndChangeSessionObjectsOnly) {
  TestToken token;
  const auto on_token = data_object(token.session(), "on the token", true, false);
  Session read_only(token.functions(), token.slot(), kReadOnly);
  EXPECT_THAT(read_only.create(Attributes().number(CKA_CLASS, CKO_DATA).flag(CKA_TOKEN, true)).rv,
              ReturnsRv(CKR_SESSION_READ_ONLY));
  EXPECT_THAT(read_only.generate(CKM_AES_KEY_GEN, aes_template(32).flag(CKA_TOKEN, true)).rv,
              ReturnsRv(CKR_SESSION_READ_ONLY));
  EXPECT_THAT(read_only.copy(on_token, Attributes().flag(CKA_TOKEN, true)).rv,
              ReturnsRv(CKR_SESSION_READ_ONLY));
  EXPECT_THAT(read_only.set(on_token, Attributes().text(CKA_LABEL, "x")),
              ReturnsRv(CKR_SESSION_READ_ONLY));
  EXPECT_THAT(read_only.destroy(on_token), ReturnsRv(CKR_SESSION_READ_ONLY));
  const auto own = data_object(read_only, "own", false, false);
  EXPECT_THAT(read_only.set(own, Attributes().text(CKA_LABEL, "x")), IsOk());
  EXPECT_THAT(read_only.destroy(own), IsOk());
}

TEST(Sessions, AnUninitialisedTokenLetsNobodyIn) {
  Bench bench;
  Session session(bench.functions(), bench.module().free_slot());
  EXPECT_NE(session.login(CKU_USER, kUserPin), CKR_OK);
  EXPECT_NE(session.login(CKU_SO, kSoPin), CKR_OK);
  EXPECT_NE(session.create(Attributes().number(CKA_CLASS, CKO_DATA).flag(CKA_TOKEN, true)).rv,
            CKR_OK);
  EXPECT_TRUE(bench.home().databases().empty());
}

}  // namespace
}  // namespace tallystick::test
