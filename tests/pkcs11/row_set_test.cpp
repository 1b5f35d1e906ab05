// A72: single rows that were taken out or put back behind the token's back, each in its turn.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/database.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

using ::testing::SizeIs;

class RowSets : public ::testing::Test {
 protected:
  RowSets() {
    for (int i = 0; i < 3; ++i) {
      (void)data_object(token_.session(), "private " + std::to_string(i), true, true);
      (void)data_object(token_.session(), "public " + std::to_string(i), true, false);
    }
  }
  // The module down, everything in one file; what it held then.
  core::Bytes stop() {
    token_.close_session();
    token_.finalize();
    Database(path()).run("PRAGMA wal_checkpoint(TRUNCATE)");
    return read_file(path());
  }
  void start() {
    token_.initialize();
    token_.open_and_login();
  }
  [[nodiscard]] std::string path() const { return token_.home().databases().front(); }
  // What a new start of the module says to the database.
  CK_RV opened() {
    token_.initialize();
    CK_SESSION_HANDLE session = 0;
    const auto rv = token_->C_OpenSession(token_.slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                          nullptr, nullptr, &session);
    token_.finalize();
    return rv;
  }

  FamilyToken token_;
};

TEST_F(RowSets, A72_NoRowIsTakenOut) {
  const auto good = stop();
  const auto ids = Database(path()).blobs("SELECT id FROM object ORDER BY id");
  // The family and its software, the device key's halves, and the six of above.
  ASSERT_GE(ids.size(), 10U);
  for (const auto& id : ids) {
    Database(path()).run_with("DELETE FROM object WHERE id = ?1", id);
    EXPECT_THAT(opened(), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED));
    put_back(path(), good);
  }
  Database(path()).run("DELETE FROM object WHERE tier < 2");
  EXPECT_THAT(opened(), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED));
  put_back(path(), good);
  EXPECT_THAT(opened(), IsOk());
}

TEST_F(RowSets, A72_NoOlderRowIsPutBack) {
  const auto older = path() + ".older";
  write_file(older, stop());
  start();
  auto& session = token_.session();
  for (const auto object : session.find(Attributes().number(CKA_CLASS, CKO_DATA))) {
    must(session.set(object, Attributes().text(CKA_APPLICATION, "newer")));
  }
  must(session.destroy(session.find(Attributes().text(CKA_LABEL, "public 2")).at(0)));
  const auto good = stop();
  const auto put = [&](const std::string& which) {
    {
      const Database database(path());
      database.run("ATTACH '" + older + "' AS older");
      database.run("INSERT OR REPLACE INTO main.object SELECT * FROM older.object" + which);
    }
    EXPECT_THAT(opened(), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED)) << which;
    put_back(path(), good);
  };
  const auto ids = Database(older).blobs("SELECT id FROM object WHERE tier < 2 AND class = 0");
  ASSERT_THAT(ids, SizeIs(6));
  for (const auto& id : ids) put(" WHERE id = x'" + core::to_hex(id) + "'");
  put("");
  EXPECT_THAT(opened(), IsOk());
}

TEST_F(RowSets, A72_NeitherIdNorGenerationIsEdited) {
  const auto good = stop();
  for (const char* const change : {"id = randomblob(16)", "generation = generation + 1",
                                   "generation = 0", "id = x'00'", "id = x''"}) {
    Database(path()).run(std::string("UPDATE object SET ") + change +
                         " WHERE id = (SELECT id FROM object WHERE tier = 1 LIMIT 1)");
    EXPECT_THAT(opened(), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED)) << change;
    put_back(path(), good);
  }
}

TEST_F(RowSets, A40_A72_NeitherTriesNorAnOlderPinArePutBack) {
  must(token_.session().logout());
  const Database database(path());
  database.run("CREATE TEMP TABLE saved AS SELECT * FROM pin");
  EXPECT_THAT(token_.session().login(CKU_USER, "wrong PIN"), ReturnsRv(CKR_PIN_INCORRECT));
  const auto tried = stop();
  database.run("UPDATE pin SET tries = 0");
  EXPECT_THAT(opened(), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED));
  database.run("UPDATE pin SET tries = 1 WHERE role = 1");
  start();
  must(token_.session().set_pin(kUserPin, "another PIN"));
  (void)stop();
  database.run("INSERT OR REPLACE INTO pin SELECT * FROM saved");
  EXPECT_THAT(opened(), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED));
  database.run("DELETE FROM pin WHERE role = 1");
  EXPECT_THAT(opened(), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED));
}

TEST_F(RowSets, A72_TheRecordIsNotEditedAndTheSetNotTakenAway) {
  const auto good = stop();
  for (const char* const change :
       {"label = zeroblob(32)", "pin_epoch = pin_epoch + 1", "sequence = sequence - 1",
        "trimmed = 1", "set_seal = zeroblob(52)", "set_seal = x''", "root_check = zeroblob(32)"}) {
    Database(path()).run(std::string("UPDATE token SET ") + change);
    EXPECT_THAT(opened(), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED)) << change;
    put_back(path(), good);
  }
}

// As if the database were of a time before there was a set.
TEST_F(RowSets, A72_AnOlderSchemaIsNoWayRoundTheSet) {
  (void)stop();
  {
    const Database database(path());
    database.run("DROP INDEX object_generations");
    database.run("ALTER TABLE token DROP COLUMN set_seal");
    database.run("DELETE FROM object WHERE tier = 1");
    database.run("PRAGMA user_version = 2");
  }
  EXPECT_THAT(opened(), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED));
}

// The same, under a check of no root key: whoever has neither the key nor its tokens makes it so.
TEST_F(RowSets, A72_AnOlderDatabaseOfAnotherRootKeyIsNotSealed) {
  (void)stop();
  const core::Bytes unknown(32, 0x5A);
  {
    const Database database(path());
    database.run("DROP INDEX object_generations");
    database.run("ALTER TABLE token DROP COLUMN set_seal");
    database.run_with("UPDATE token SET root_check = ?1", unknown);
    database.run("PRAGMA user_version = 2");
  }
  EXPECT_THAT(opened(), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED));
  EXPECT_EQ(Database(path()).blobs("SELECT root_check FROM token").front(), unknown);
}

// While the token is open: a change seals what it knows, and what somebody else did is found out at
// the next start.
TEST_F(RowSets, A72_AChangeDoesNotSealWhatSomebodyElseDid) {
  const Database database(path());
  const auto ids = database.blobs("SELECT id FROM object WHERE tier = 1 AND class = 0");
  ASSERT_THAT(ids, SizeIs(3));
  database.run_with("DELETE FROM object WHERE id = ?1", ids[0]);
  for (int i = 0; i < 10; ++i) {
    (void)data_object(token_.session(), "new", true, true);
  }
  (void)stop();
  EXPECT_THAT(opened(), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED));
}

TEST_F(RowSets, A72_AnEditedRecordIsFoundOutWhileTheTokenIsOpen) {
  auto& session = token_.session();
  const auto object = session.find(Attributes().text(CKA_LABEL, "public 0")).at(0);
  Database(path()).run("UPDATE token SET sequence = sequence + 1");
  EXPECT_THAT(session.get(object, CKA_LABEL).rv, ReturnsRv(CKR_DEVICE_ERROR));
  EXPECT_THAT(session.set(object, Attributes().text(CKA_LABEL, "x")), ReturnsRv(CKR_DEVICE_ERROR));
}

TEST_F(RowSets, A71_AnotherTokensDatabaseIsNotDescribed) {
  CK_TOKEN_INFO info{};
  EXPECT_THAT(token_->C_GetTokenInfo(token_.slot(), &info), ReturnsRv(CKR_OK));
  Database(path()).run("UPDATE token SET token_id = zeroblob(16)");
  EXPECT_THAT(token_->C_GetTokenInfo(token_.slot(), &info), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED));
}

TEST_F(RowSets, StayWholeOverEverythingThatATokenDoes) {
  auto& session = token_.session();
  must(session.destroy(session.find(Attributes().text(CKA_LABEL, "private 0")).at(0)));
  must(session.set(session.find(Attributes().text(CKA_LABEL, "public 0")).at(0),
                   Attributes().text(CKA_LABEL, "renamed")));
  (void)must(session.copy(session.find(Attributes().text(CKA_LABEL, "public 1")).at(0), {}));
  (void)generate_ec(session, core::Curve::kP256, Attributes().flag(CKA_TOKEN, true),
                    Attributes().flag(CKA_TOKEN, true));
  must(session.set_pin(kUserPin, "another PIN"));
  must(session.set_pin("another PIN", kUserPin));
  token_.restart_and_login();
  must(token_.session().logout());
  must(token_.session().login(CKU_SO, kSoPin));
  must(token_.session().init_pin(kUserPin));
  must(token_.session().logout());
  token_.restart_and_login();
  EXPECT_THAT(token_.session().find(Attributes().text(CKA_LABEL, "renamed")), SizeIs(1));
  token_.close_session();
  must(init_token(token_.functions(), token_.slot(), kSoPin, "anew"));
  token_.restart();
  const Session again(token_.functions(), token_.slot());
  EXPECT_THAT(again.find(Attributes().number(CKA_CLASS, CKO_DATA)), SizeIs(0));
}

}  // namespace
}  // namespace tallystick::test
