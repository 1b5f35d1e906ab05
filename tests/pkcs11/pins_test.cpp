// C_InitToken, C_InitPIN, C_SetPIN and what each does to what the token holds.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/database.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

TEST(InitToken, RefusesWhileASessionIsOpen) {
  TestToken token;
  EXPECT_THAT(init_token(token.functions(), token.slot(), kSoPin, "again"),
              ReturnsRv(CKR_SESSION_EXISTS));
}

TEST(InitToken, OfATokenNeedsItsSoPin) {
  TestToken token;
  (void)data_object(token.session(), "kept", true, false);
  token.close_session();
  EXPECT_THAT(init_token(token.functions(), token.slot(), "a wrong SO PIN", "again"),
              ReturnsRv(CKR_PIN_INCORRECT));
  Session session(token.functions(), token.slot());
  EXPECT_EQ(session.find(Attributes().text(CKA_LABEL, "kept")).size(), 1U);
  EXPECT_THAT(session.login(CKU_USER, kUserPin), IsOk());
}

TEST(InitToken, TakesAwayTheUsersObjectsAndPinAndGivesTheNewLabel) {
  TestToken token;
  (void)data_object(token.session(), "private", true, true);
  (void)data_object(token.session(), "public", true, false);
  (void)generate_ec(token.session(), core::Curve::kP256, Attributes().flag(CKA_TOKEN, true),
                    Attributes().flag(CKA_TOKEN, true));
  token.close_session();
  must(init_token(token.functions(), token.slot(), kSoPin, "again"));
  EXPECT_EQ(slot_of(token.module(), "again"), token.slot());
  Session session(token.functions(), token.slot());
  EXPECT_THAT(session.login(CKU_USER, kUserPin), ReturnsRv(CKR_USER_PIN_NOT_INITIALIZED));
  must(session.login(CKU_SO, kSoPin));
  must(session.init_pin("new PIN"));
  must(session.logout());
  must(session.login(CKU_USER, "new PIN"));
  EXPECT_TRUE(session.find(Attributes().number(CKA_CLASS, CKO_DATA)).empty());
  EXPECT_EQ(session.find(Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY)).size(), 1U)
      << "the device key alone";
}

TEST(InitToken, RefusesPinsThatAreTooShortOrTooLong) {
  Bench bench;
  const auto slot = bench.module().free_slot();
  EXPECT_THAT(init_token(bench.functions(), slot, "123", "x"), ReturnsRv(CKR_PIN_LEN_RANGE));
  EXPECT_THAT(init_token(bench.functions(), slot, "", "x"), ReturnsRv(CKR_PIN_LEN_RANGE));
  EXPECT_THAT(init_token(bench.functions(), slot, std::string(256, 'x'), "x"),
              ReturnsRv(CKR_PIN_LEN_RANGE));
  EXPECT_TRUE(bench.home().databases().empty());
  EXPECT_THAT(init_token(bench.functions(), slot, std::string(255, 'x'), "x"), IsOk());
  Session session(bench.functions(), slot);
  must(session.login(CKU_SO, std::string(255, 'x')));
  EXPECT_THAT(session.init_pin("123"), ReturnsRv(CKR_PIN_LEN_RANGE));
  EXPECT_THAT(session.init_pin(std::string(256, 'x')), ReturnsRv(CKR_PIN_LEN_RANGE));
  EXPECT_THAT(session.init_pin("1234"), IsOk());
  EXPECT_THAT(session.set_pin(std::string(255, 'x'), "12"), ReturnsRv(CKR_PIN_LEN_RANGE));
}

TEST(InitPin, IsForTheSoAlone) {
  TestToken token;
  EXPECT_THAT(token.session().init_pin("another"), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
  must(token.session().logout());
  EXPECT_THAT(token.session().init_pin("another"), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
}

TEST(InitPin, A43_NoPrivateObjectOpensAfterTheSoResetsTheUsersPin) {
  TestToken token;
  (void)data_object(token.session(), "secret", true, true);
  (void)generate_aes(token.session(), Attributes().flag(CKA_TOKEN, true));
  (void)data_object(token.session(), "public", true, false);
  must(token.session().logout());
  must(token.session().login(CKU_SO, kSoPin));
  EXPECT_TRUE(token.session().find(Attributes().flag(CKA_PRIVATE, true)).empty());
  must(token.session().init_pin("the SO's choice"));
  must(token.session().logout());
  must(token.session().login(CKU_USER, "the SO's choice"));
  EXPECT_TRUE(token.session().find(Attributes().text(CKA_LABEL, "secret")).empty());
  EXPECT_TRUE(token.session().find(Attributes().number(CKA_KEY_TYPE, CKK_AES)).empty());
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "public")).size(), 1U);
  EXPECT_THAT(token.session().logout(), IsOk());
  EXPECT_THAT(token.session().login(CKU_USER, kUserPin), ReturnsRv(CKR_PIN_INCORRECT));
}

// The rows as they were, put back behind the token's back: beside the new ones they are not taken
// (A72), and in the place of one that is there they do not open under the new PIN either.
TEST(InitPin, A43_RowsThatWerePutBackDoNotOpenUnderTheNewPin) {
  TestToken token;
  (void)data_object(token.session(), "secret", true, true);
  token.close_session();
  const auto path = token.home().databases().front();
  {
    const Database database(path);
    database.run("CREATE TEMP TABLE saved AS SELECT * FROM object WHERE tier = 1");
    ASSERT_EQ(database.number("SELECT count(*) FROM saved"), 1);
    {
      Session session(token.functions(), token.slot());
      must(session.login(CKU_SO, kSoPin));
      must(session.init_pin("the SO's choice"));
    }
    ASSERT_EQ(database.number("SELECT count(*) FROM object WHERE tier = 1"), 0);
    {
      Session session(token.functions(), token.slot());
      must(session.login(CKU_USER, "the SO's choice"));
      (void)data_object(session, "new", true, true);
    }
    database.run("UPDATE object SET sealed = (SELECT sealed FROM saved) WHERE tier = 1");
  }
  token.restart();
  {
    Session session(token.functions(), token.slot());
    must(session.login(CKU_USER, "the SO's choice"));
    EXPECT_TRUE(session.find(Attributes().number(CKA_CLASS, CKO_DATA)).empty());
    EXPECT_EQ(must(session.random(8)).size(), 8U);
  }
}

TEST(InitPin, EndsTheLoginOfAnotherProcess) {
  TestToken token;
  const auto kept = data_object(token.session(), "secret", true, true);
  ASSERT_EQ(in_child([&] {
              must(token->C_Initialize(nullptr));
              Session session(token.functions(), token.slot());
              must(session.login(CKU_SO, kSoPin));
              must(session.init_pin("the SO's choice"));
              return 0;
            }),
            0);
  EXPECT_NE(token.session().get(kept, CKA_LABEL).rv, CKR_OK);
  EXPECT_NE(token.session()
                .create(Attributes()
                            .number(CKA_CLASS, CKO_DATA)
                            .flag(CKA_TOKEN, true)
                            .flag(CKA_PRIVATE, true))
                .rv,
            CKR_OK);
}

TEST(SetPin, ChangesTheUsersPinAndKeepsTheObjects) {
  TestToken token;
  (void)data_object(token.session(), "secret", true, true);
  must(token.session().set_pin(kUserPin, "next PIN"));
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "secret")).size(), 1U);
  must(token.session().logout());
  EXPECT_THAT(token.session().login(CKU_USER, kUserPin), ReturnsRv(CKR_PIN_INCORRECT));
  must(token.session().login(CKU_USER, "next PIN"));
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "secret")).size(), 1U);
}

TEST(SetPin, WorksForTheUserBeforeLoginAndForTheSoAfterIt) {
  TestToken token;
  must(token.session().logout());
  must(token.session().set_pin(kUserPin, "user two"));
  must(token.session().login(CKU_SO, kSoPin));
  must(token.session().set_pin(kSoPin, "SO two"));
  must(token.session().logout());
  EXPECT_THAT(token.session().login(CKU_SO, kSoPin), ReturnsRv(CKR_PIN_INCORRECT));
  must(token.session().login(CKU_SO, "SO two"));
  must(token.session().logout());
  EXPECT_THAT(token.session().login(CKU_USER, "user two"), IsOk());
}

TEST(SetPin, NeedsTheOldPinAndAReadWriteSession) {
  TestToken token;
  EXPECT_THAT(token.session().set_pin("wrong", "next PIN"), ReturnsRv(CKR_PIN_INCORRECT));
  Session read_only(token.functions(), token.slot(), CKF_SERIAL_SESSION);
  EXPECT_THAT(read_only.set_pin(kUserPin, "next PIN"), ReturnsRv(CKR_SESSION_READ_ONLY));
}

TEST(SetPin, APinMayHoldAnyBytes) {
  TestToken token;
  const std::string odd = std::string("\0\xFF ' \" ; --", 12) + "ü";
  must(token.session().set_pin(kUserPin, odd));
  must(token.session().logout());
  EXPECT_THAT(token.session().login(CKU_USER, odd.substr(0, 1) + odd),
              ReturnsRv(CKR_PIN_INCORRECT));
  EXPECT_THAT(token.session().login(CKU_USER, odd), IsOk());
}

}  // namespace
}  // namespace tallystick::test
