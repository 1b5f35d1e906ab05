// CKA_ALWAYS_AUTHENTICATE: the PIN for each operation, by C_Login with CKU_CONTEXT_SPECIFIC.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/database.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

constexpr const char* kWrong = "not the PIN";

KeyPair careful_pair(Session& session) {
  return generate_ec(session, core::Curve::kP256, {},
                     Attributes().flag(CKA_ALWAYS_AUTHENTICATE, true));
}

struct Signing {
  explicit Signing(const Session& on) : session(on) {}
  CK_RV start(CK_OBJECT_HANDLE key) const {
    Mechanism mechanism(CKM_ECDSA_SHA256);
    return session.operator->()->C_SignInit(session.handle(), mechanism.get(), key);
  }
  CK_RV sign() {
    CK_ULONG size = signature.size();
    return session.operator->()->C_Sign(session.handle(), data.data(), data.size(),
                                        signature.data(), &size);
  }
  CK_RV update() {
    return session.operator->()->C_SignUpdate(session.handle(), data.data(), data.size());
  }
  CK_RV finish() {
    CK_ULONG size = signature.size();
    return session.operator->()->C_SignFinal(session.handle(), signature.data(), &size);
  }
  const Session& session;
  core::Bytes data = bytes("a message");
  core::Bytes signature = core::Bytes(64);
};

TEST(ContextLogin, NothingIsDoneBeforeThePinAndOneOperationAfterIt) {
  TestToken token;
  auto& session = token.session();
  const auto pair = careful_pair(session);
  EXPECT_TRUE(session.flag(pair.private_key, CKA_ALWAYS_AUTHENTICATE));
  Signing signing(session);
  for (int round = 0; round < 2; ++round) {
    ASSERT_THAT(signing.start(pair.private_key), IsOk());
    EXPECT_THAT(signing.sign(), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
    EXPECT_THAT(signing.update(), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
    EXPECT_THAT(signing.finish(), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
    // The operation has waited.
    ASSERT_THAT(session.login(CKU_CONTEXT_SPECIFIC, kUserPin), IsOk());
    EXPECT_EQ(session.state(), static_cast<CK_STATE>(CKS_RW_USER_FUNCTIONS));
    ASSERT_THAT(signing.sign(), IsOk());
    EXPECT_THAT(session.verify(CKM_ECDSA_SHA256, pair.public_key, signing.data, signing.signature),
                IsOk());
    EXPECT_THAT(session.login(CKU_CONTEXT_SPECIFIC, kUserPin),
                ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  }
}

TEST(ContextLogin, CoversAllPartsOfAnOperationAndALengthQuery) {
  TestToken token;
  auto& session = token.session();
  const auto pair = careful_pair(session);
  Signing signing(session);
  must(signing.start(pair.private_key));
  CK_ULONG size = 0;
  EXPECT_THAT(token->C_Sign(token.handle(), signing.data.data(), 1, nullptr, &size),
              ReturnsRv(CKR_USER_NOT_LOGGED_IN));
  must(session.login(CKU_CONTEXT_SPECIFIC, kUserPin));
  EXPECT_THAT(token->C_Sign(token.handle(), signing.data.data(), 1, nullptr, &size), IsOk());
  EXPECT_EQ(size, 64U);
  EXPECT_THAT(signing.update(), IsOk());
  EXPECT_THAT(signing.update(), IsOk());
  EXPECT_THAT(signing.finish(), IsOk());
  must(signing.start(pair.private_key));
  EXPECT_THAT(signing.update(), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
}

TEST(ContextLogin, IsRefusedWhereNoOperationWaitsForIt) {
  TestToken token;
  auto& session = token.session();
  EXPECT_THAT(session.login(CKU_CONTEXT_SPECIFIC, kUserPin),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  const auto plain = generate_ec(session);
  Signing signing(session);
  must(signing.start(plain.private_key));
  EXPECT_THAT(session.login(CKU_CONTEXT_SPECIFIC, kUserPin),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  EXPECT_THAT(session.login(CKU_CONTEXT_SPECIFIC, kWrong),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  EXPECT_THAT(signing.sign(), IsOk());
  // None of these was a try.
  EXPECT_EQ(token.module().token_info(token.slot()).flags & CKF_USER_PIN_COUNT_LOW, 0U);
}

TEST(ContextLogin, IsForOneSessionsOperationAlone) {
  TestToken token;
  const auto pair = careful_pair(token.session());
  Session other(token.functions(), token.slot());
  Signing here(token.session());
  Signing there(other);
  must(here.start(pair.private_key));
  must(there.start(pair.private_key));
  must(token.session().login(CKU_CONTEXT_SPECIFIC, kUserPin));
  EXPECT_THAT(there.sign(), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
  EXPECT_THAT(here.sign(), IsOk());
}

TEST(ContextLogin, A40_AWrongPinIsATryAndTheOperationGoesOnWaiting) {
  TestToken token;
  auto& session = token.session();
  const auto pair = careful_pair(session);
  Signing signing(session);
  must(signing.start(pair.private_key));
  EXPECT_THAT(session.login(CKU_CONTEXT_SPECIFIC, kWrong), ReturnsRv(CKR_PIN_INCORRECT));
  EXPECT_THAT(signing.sign(), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
  EXPECT_NE(token.module().token_info(token.slot()).flags & CKF_USER_PIN_COUNT_LOW, 0U);
  {
    const Database database(token.home().databases().front());
    EXPECT_EQ(database.number("SELECT tries FROM pin WHERE role = 1"), 1);
  }
  EXPECT_THAT(session.login(CKU_CONTEXT_SPECIFIC, kUserPin), IsOk());
  EXPECT_THAT(signing.sign(), IsOk());
  EXPECT_EQ(token.module().token_info(token.slot()).flags & CKF_USER_PIN_COUNT_LOW, 0U);
}

TEST(ContextLogin, A40_WhenNoTryIsLeftTheUserIsLoggedOut) {
  TestToken token;
  auto& session = token.session();
  const auto pair = careful_pair(session);
  Signing signing(session);
  must(signing.start(pair.private_key));
  int tries = 0;
  CK_RV rv = CKR_OK;
  while ((rv = session.login(CKU_CONTEXT_SPECIFIC, kWrong)) == CKR_PIN_INCORRECT) {
    ASSERT_LT(++tries, 100);
  }
  EXPECT_EQ(tries, 10);
  EXPECT_THAT(rv, ReturnsRv(CKR_PIN_LOCKED));
  EXPECT_EQ(session.state(), static_cast<CK_STATE>(CKS_RW_PUBLIC_SESSION));
  EXPECT_THAT(signing.sign(), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  EXPECT_THAT(session.login(CKU_USER, kUserPin), ReturnsRv(CKR_PIN_LOCKED));
}

TEST(ContextLogin, EndsWithTheLogin) {
  TestToken token;
  auto& session = token.session();
  const auto pair =
      generate_ec(session, core::Curve::kP256, {},
                  Attributes().flag(CKA_ALWAYS_AUTHENTICATE, true).flag(CKA_TOKEN, true));
  Signing signing(session);
  must(signing.start(pair.private_key));
  must(session.logout());
  EXPECT_THAT(session.login(CKU_CONTEXT_SPECIFIC, kUserPin),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  must(session.login(CKU_USER, kUserPin));
  EXPECT_THAT(signing.sign(), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
}

TEST(ContextLogin, TheAttributeIsStoredAndSurvivesARestart) {
  TestToken token;
  (void)generate_ec(token.session(), core::Curve::kP256, {},
                    Attributes()
                        .flag(CKA_ALWAYS_AUTHENTICATE, true)
                        .flag(CKA_TOKEN, true)
                        .text(CKA_LABEL, "careful"));
  token.restart_and_login();
  const auto keys = token.session().find(Attributes().text(CKA_LABEL, "careful"));
  ASSERT_EQ(keys.size(), 1U);
  Signing signing(token.session());
  must(signing.start(keys.front()));
  EXPECT_THAT(signing.sign(), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
}

TEST(ContextLogin, TheAttributeIsForPrivateKeysOnlyAndNeverTakenBack) {
  TestToken token;
  auto& session = token.session();
  const auto before = session.find({}).size();
  Attributes public_key;
  public_key.bytes(CKA_EC_PARAMS, ec_params(core::Curve::kP256));
  EXPECT_THAT(
      session
          .generate_pair(CKM_EC_KEY_PAIR_GEN, public_key,
                         Attributes().flag(CKA_ALWAYS_AUTHENTICATE, true).flag(CKA_PRIVATE, false))
          .rv,
      ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  EXPECT_THAT(session
                  .generate(CKM_AES_KEY_GEN,
                            Attributes(aes_template(32)).flag(CKA_ALWAYS_AUTHENTICATE, true))
                  .rv,
              ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
  EXPECT_EQ(session.find({}).size(), before);

  const auto pair = careful_pair(session);
  EXPECT_THAT(session.set(pair.private_key, Attributes().flag(CKA_ALWAYS_AUTHENTICATE, false)),
              ReturnsRv(CKR_ATTRIBUTE_READ_ONLY));
  EXPECT_THAT(session.copy(pair.private_key, Attributes().flag(CKA_ALWAYS_AUTHENTICATE, false)).rv,
              ReturnsRv(CKR_ATTRIBUTE_READ_ONLY));
  const auto copy = must(session.copy(pair.private_key, {}));
  EXPECT_TRUE(session.flag(copy, CKA_ALWAYS_AUTHENTICATE));
}

TEST(ContextLogin, ByLoginUserIsTheSame) {
  TestToken token;
  const auto pair = careful_pair(token.session());
  Signing signing(token.session());
  must(signing.start(pair.private_key));
  std::string pin = kUserPin;
  auto* const text = reinterpret_cast<CK_UTF8CHAR*>(pin.data());
  EXPECT_THAT(token.module().v3()->C_LoginUser(token.handle(), CKU_CONTEXT_SPECIFIC, text,
                                               pin.size(), nullptr, 0),
              IsOk());
  EXPECT_THAT(signing.sign(), IsOk());
}

}  // namespace
}  // namespace tallystick::test
