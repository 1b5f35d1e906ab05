// Rows are read when a search may find them: what is found does not depend on what was read before.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/pkcs11/support/database.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

Attributes labelled(std::string_view label) { return Attributes().text(CKA_LABEL, label); }

std::size_t count(const Session& session, Attributes pattern) {
  return session.find(std::move(pattern)).size();
}

class Rows : public ::testing::Test {
 protected:
  Rows() {
    (void)data_object(token_.session(), "public", true, false);
    (void)data_object(token_.session(), "private", true, true);
    (void)generate_aes(token_.session(),
                       labelled("key").flag(CKA_TOKEN, true).bytes(CKA_ID, core::Bytes{1, 2, 3}));
  }
  TestToken token_;
};

TEST_F(Rows, AreFoundByWhateverIsAskedFirst) {
  const std::vector<std::pair<Attributes, std::size_t>> searches = {
      {labelled("private"), 1},
      {labelled("public"), 1},
      {labelled("nobody"), 0},
      {Attributes().bytes(CKA_ID, core::Bytes{1, 2, 3}), 1},
      {Attributes().bytes(CKA_ID, core::Bytes{1, 2, 3}).text(CKA_LABEL, "key"), 1},
      {Attributes().bytes(CKA_ID, core::Bytes{1, 2, 3}).text(CKA_LABEL, "private"), 0},
      {Attributes().number(CKA_CLASS, CKO_DATA), 2},
      {Attributes().number(CKA_CLASS, CKO_SECRET_KEY), 1},
      {Attributes().number(CKA_KEY_TYPE, CKK_AES), 1},
      {Attributes().flag(CKA_PRIVATE, true).number(CKA_CLASS, CKO_DATA), 1},
      {labelled("private").number(CKA_CLASS, CKO_SECRET_KEY), 0},
      // The device key's two halves, four profiles, and the three of above.
      {{}, 9},
  };
  for (std::size_t first = 0; first < searches.size(); ++first) {
    token_.restart_and_login();
    for (std::size_t i = 0; i < searches.size(); ++i) {
      const auto& [pattern, expected] = searches[(first + i) % searches.size()];
      EXPECT_EQ(count(token_.session(), pattern), expected) << first << " " << i;
    }
  }
}

TEST_F(Rows, ThatNoSearchCanFindAreNotRead) {
  const auto log = token_.home().path() + ".log";
  token_.close_session();
  token_.finalize();
  {
    const Database database(token_.home().databases().front());
    database.run("UPDATE object SET sealed = zeroblob(64) WHERE tier = 1 AND class = 0");
  }
  ASSERT_EQ(setenv("TALLYSTICK_LOG", log.c_str(), 1), 0);
  token_.initialize();
  token_.open_and_login();
  // Whoever reads the damaged row says so in the log.
  const auto said = [&] {
    std::ostringstream text;
    text << std::ifstream(log).rdbuf();
    return text.str().find("] object ") != std::string::npos;
  };
  EXPECT_EQ(count(token_.session(), labelled("key")), 1U);
  EXPECT_EQ(count(token_.session(), labelled("public")), 1U);
  EXPECT_FALSE(said());
  EXPECT_EQ(count(token_.session(), Attributes().number(CKA_CLASS, CKO_DATA)), 1U);
  EXPECT_TRUE(said());
  ASSERT_EQ(unsetenv("TALLYSTICK_LOG"), 0);
}

TEST_F(Rows, OfTheUserAreFoundOnlyWhileTheUserIsLoggedIn) {
  auto& session = token_.session();
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(count(session, labelled("private")), 1U);
    must(session.logout());
    EXPECT_EQ(count(session, labelled("private")), 0U);
    EXPECT_EQ(count(session, labelled("public")), 1U);
    must(session.login(CKU_USER, kUserPin));
  }
}

TEST_F(Rows, MovedByAnotherLabelAreFoundByItAlone) {
  for (const bool restarted : {false, true}) {
    const auto from = restarted ? "moved" : "private";
    const auto to = restarted ? "moved again" : "moved";
    if (restarted) token_.restart_and_login();
    auto& session = token_.session();
    EXPECT_EQ(count(session, labelled(to)), 0U);
    must(session.set(session.find(labelled(from)).at(0), labelled(to)));
    EXPECT_EQ(count(session, labelled(from)), 0U);
    EXPECT_EQ(count(session, labelled(to)), 1U);
    token_.restart_and_login();
    EXPECT_EQ(count(token_.session(), labelled(from)), 0U);
    EXPECT_EQ(count(token_.session(), labelled(to)), 1U);
  }
}

TEST_F(Rows, WhoseTagsWereEditedAreFoundByNoOtherName) {
  token_.close_session();
  token_.finalize();
  {
    const Database database(token_.home().databases().front());
    database.run(
        "UPDATE object SET label_tag = (SELECT label_tag FROM object WHERE tier = 1 AND class = "
        "0)");
  }
  token_.initialize();
  token_.open_and_login();
  const auto found = token_.session().find(labelled("private"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(must(token_.session().get(found[0], CKA_VALUE)), bytes("private"));
}

TEST_F(Rows, OfATokenOfTheFirstSchemaAreKept) {
  token_.close_session();
  token_.finalize();
  const auto path = token_.home().databases().front();
  {
    const Database database(path);
    for (const char* const index : {"object_by_class", "object_by_id_tag", "object_by_label_tag",
                                    "object_generations", "object_immutable", "object_untagged"}) {
      database.run(std::string("DROP INDEX ") + index);
    }
    database.run("ALTER TABLE object DROP COLUMN id_tag");
    database.run("ALTER TABLE object DROP COLUMN label_tag");
    database.run("ALTER TABLE token DROP COLUMN set_seal");
    // Of a time before rows were sealed as a set.
    database.run_with("UPDATE token SET root_check = ?1", root_check(path, "check"));
    database.run("PRAGMA user_version = 1");
  }
  token_.initialize();
  token_.open_and_login();
  EXPECT_EQ(Database(path).number("PRAGMA user_version"), 3);
  EXPECT_EQ(Database(path).blobs("SELECT root_check FROM token").front(),
            root_check(path, "check 2"));
  auto& session = token_.session();
  for (const char* const label : {"private", "public", "key"}) {
    ASSERT_EQ(count(session, labelled(label)), 1U) << label;
  }
  // A row that is written again gets its tags.
  const auto untagged = [&] {
    return Database(path).number("SELECT count(*) FROM object WHERE label_tag = 0");
  };
  const auto before = untagged();
  must(session.set(session.find(labelled("key")).at(0), labelled("new name")));
  EXPECT_EQ(untagged(), before - 1);
  token_.restart_and_login();
  EXPECT_EQ(count(token_.session(), labelled("new name")), 1U);
  EXPECT_EQ(count(token_.session(), labelled("private")), 1U);
}

}  // namespace
}  // namespace tallystick::test
