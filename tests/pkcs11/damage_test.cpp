// A70, A71: rows that were edited, swapped or moved behind the token's back.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/database.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

class Damage : public ::testing::Test {
 protected:
  Damage() {
    for (const char* const label : {"one", "two", "three"}) {
      (void)data_object(token_.session(), label, true, true);
    }
    (void)data_object(token_.session(), "public", true, false);
  }
  // Runs the change with the module down, and logs in again.
  template <typename Change>
  void behind_the_tokens_back(const Change& change) {
    token_.close_session();
    token_.finalize();
    change(Database(token_.home().databases().front()));
    token_.initialize();
    token_.open_and_login();
  }
  std::vector<std::string> labels() {
    std::vector<std::string> out;
    for (const auto object : token_.session().find(Attributes().number(CKA_CLASS, CKO_DATA))) {
      const auto label = must(token_.session().get(object, CKA_LABEL));
      // What is shown is whole: label and value were made equal.
      EXPECT_EQ(must(token_.session().get(object, CKA_VALUE)), label);
      out.emplace_back(label.begin(), label.end());
    }
    std::ranges::sort(out);
    return out;
  }
  TestToken token_;
};

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST_F(Damage, A70_AFlippedByteOfASealedRowHidesThatObjectAlone) {
  for (const double where : {0.0, 0.3, 0.6, 0.99}) {
    core::Bytes id;
    core::Bytes good;
    behind_the_tokens_back([&](const Database& database) {
      id = database.blobs("SELECT id FROM object WHERE tier = 1 LIMIT 1").front();
      good = database.blobs("SELECT sealed FROM object WHERE tier = 1 LIMIT 1").front();
      auto bad = good;
      bad[static_cast<std::size_t>(where * static_cast<double>(bad.size()))] ^= 1U;
      database.run_with("UPDATE object SET sealed = ?1 WHERE id = ?2", bad, id);
    });
    EXPECT_THAT(labels(), SizeIs(3)) << where;
    behind_the_tokens_back([&](const Database& database) {
      database.run_with("UPDATE object SET sealed = ?1 WHERE id = ?2", good, id);
    });
    EXPECT_THAT(labels(), ElementsAre("one", "public", "three", "two"));
  }
}

TEST_F(Damage, A70_EveryColumnOfARowIsBoundToIt) {
  const auto path = token_.home().databases().front();
  behind_the_tokens_back(
      [](const Database& database) { database.run("PRAGMA wal_checkpoint(TRUNCATE)"); });
  const auto good = read_file(path);
  for (const char* const change :
       {"class = 4", "class = class + 1", "policy = policy + 1", "policy = 0", "member = x'01'",
        "epoch = epoch + 1", "job = x'01'", "tier = 0", "tier = 2", "sealed = x''",
        "sealed = zeroblob(12)", "sealed = zeroblob(28)"}) {
    SCOPED_TRACE(change);
    behind_the_tokens_back([&](const Database& database) {
      database.run(std::string("UPDATE object SET ") + change +
                   " WHERE id = (SELECT id FROM object WHERE tier = 1 ORDER BY rowid LIMIT 1)");
    });
    EXPECT_THAT(labels(), SizeIs(3));
    token_.close_session();
    token_.finalize();
    put_back(path, good);
    token_.initialize();
    token_.open_and_login();
    ASSERT_THAT(labels(), SizeIs(4));
  }
}

TEST_F(Damage, A71_ValuesSwappedBetweenTwoRowsOpenNeither) {
  behind_the_tokens_back([](const Database& database) {
    const auto ids = database.blobs("SELECT id FROM object WHERE tier = 1 ORDER BY id");
    const auto sealed = database.blobs("SELECT sealed FROM object WHERE tier = 1 ORDER BY id");
    database.run_with("UPDATE object SET sealed = ?1 WHERE id = ?2", sealed[1], ids[0]);
    database.run_with("UPDATE object SET sealed = ?1 WHERE id = ?2", sealed[0], ids[1]);
  });
  EXPECT_THAT(labels(), SizeIs(2));
}

TEST_F(Damage, A71_ARowOfAnotherTokenDoesNotOpen) {
  const auto slot = make_token(token_.module(), "other");
  {
    Session other(token_.functions(), slot);
    must(other.login(CKU_USER, kUserPin));
    (void)data_object(other, "foreign", true, true);
    (void)data_object(other, "foreign public", true, false);
  }
  const auto paths = token_.home().databases();
  // In the place of rows of ours: one that comes beside them is no row of the set (A72).
  behind_the_tokens_back([&](const Database& database) {
    database.run("ATTACH '" + paths[1] + "' AS foreign_one");
    for (const char* const tier : {"0", "1"}) {
      const auto of = std::string(" WHERE class = 0 AND tier = ") + tier;
      database.run("UPDATE main.object SET sealed = (SELECT sealed FROM foreign_one.object" + of +
                   ") WHERE id = (SELECT id FROM main.object" + of + " ORDER BY rowid LIMIT 1)");
    }
  });
  EXPECT_THAT(labels(), ElementsAre("three", "two"));
}

// Any program that opens the file with SQLite can do that, and the change stays in the file.
TEST_F(Damage, ADatabaseWhoseLogWasTurnedOffGetsItBack) {
  behind_the_tokens_back([](const Database& database) {
    EXPECT_EQ(core::text_of(database.blobs("PRAGMA journal_mode = DELETE").front()), "delete");
  });
  EXPECT_THAT(labels(), ElementsAre("one", "public", "three", "two"));
  (void)data_object(token_.session(), "four", true, true);
  token_.close_session();
  token_.finalize();
  const Database database(token_.home().databases().front());
  EXPECT_EQ(core::text_of(database.blobs("PRAGMA journal_mode").front()), "wal");
}

TEST_F(Damage, A70_ADamagedRowStaysOutOfTheWayOfNewOnes) {
  behind_the_tokens_back([](const Database& database) {
    database.run("UPDATE object SET sealed = zeroblob(64) WHERE tier = 1");
  });
  EXPECT_THAT(labels(), ElementsAre("public"));
  (void)data_object(token_.session(), "new", true, true);
  token_.restart_and_login();
  EXPECT_THAT(labels(), ElementsAre("new", "public"));
}

// The software's minimum version, the role, the flags: nothing of a family is the file's to say.
TEST(DamagedFamily, A70_AnEditedFamilyRowIsNoFamily) {
  for (const char* const change : {"policy = policy + 1", "epoch = epoch + 1"}) {
    FamilyToken token;
    token.close_session();
    token.finalize();
    Database(token.home().databases().front())
        .run(std::string("UPDATE object SET ") + change + " WHERE tier = 2 AND class = 4");
    token.initialize();
    token.open_and_login();
    EXPECT_TRUE(token.session().find(Attributes().number(CKA_KEY_TYPE, CKK_TS_FAMILY)).empty());
    EXPECT_THAT(token.make_share().rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  }
}

TEST(DamagedFamily, A70_ADamagedDeviceKeyIsAnErrorAndNoCrash) {
  FamilyToken token;
  token.close_session();
  token.finalize();
  Database(token.home().databases().front())
      .run("UPDATE object SET sealed = zeroblob(100) WHERE tier = 2 AND class IN (2, 3)");
  token.initialize();
  token.open_and_login();
  EXPECT_TRUE(token.session().find(Attributes().text(CKA_LABEL, "device")).empty());
  const auto& fingerprint = token.world().fingerprint();
  EXPECT_NE(token.session()
                .unwrap({CKM_TS_FAMILY_WRAP, {fingerprint.begin(), fingerprint.end()}}, 1,
                        core::Bytes(600), {})
                .rv,
            CKR_OK);
}

// Every byte of the file, a few at a time: whatever the damage, calls answer.
TEST(DamagedFile, A73_FlippedBytesAnywhereInTheFileCrashNothing) {
  TestToken token;
  for (int i = 0; i < 10; ++i) {
    (void)data_object(token.session(), "object " + std::to_string(i), true, i % 2 == 0);
  }
  token.close_session();
  token.finalize();
  const auto path = token.home().databases().front();
  Database(path).run("PRAGMA wal_checkpoint(TRUNCATE)");
  const auto good = read_file(path);
  const auto step = good.size() / 120;
  for (std::size_t at = 0; at < good.size(); at += step) {
    auto bad = good;
    for (std::size_t i = 0; i < 4; ++i) bad[(at + 97 * i) % bad.size()] ^= 0xFFU;
    put_back(path, bad);
    const auto status = in_child([&] {
      if (token.module()->C_Initialize(nullptr) != CKR_OK) return 0;
      const auto slot = 0;
      CK_SESSION_HANDLE session = 0;
      if (token.module()->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                        &session) != CKR_OK) {
        return 0;
      }
      (void)token.module()->C_FindObjectsInit(session, nullptr, 0);
      CK_OBJECT_HANDLE object = 0;
      CK_ULONG count = 0;
      (void)token.module()->C_FindObjects(session, &object, 1, &count);
      return 0;
    });
    ASSERT_EQ(status, 0) << "at byte " << at;
  }
}

}  // namespace
}  // namespace tallystick::test
