// The store by itself, with two processes' views of one database and with what a seal would keep
// anybody from seeing: what each change finds when it comes to write.
#include <gtest/gtest.h>

#include <filesystem>

#include "pkcs11/engine/store.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/database.h"
#include "tests/pkcs11/support/outcome.h"
#include "tests/support/scratch.h"
#include "tests/support/world.h"

namespace tallystick::test {
namespace {

using token::ObjectRow;
using token::PinRole;
using token::Store;
using token::Tier;

constexpr token::TokenId kTokenId = {1, 2, 3};

token::PinRow pin(PinRole role, std::uint8_t salt) {
  token::PinRow row;
  row.role = role;
  row.salt = core::Bytes(16, salt);
  row.sealed = core::Bytes(60, salt);
  return row;
}
ObjectRow row(std::uint8_t id, Tier tier = Tier::kPublic) {
  ObjectRow out;
  out.id = {id};
  out.tier = tier;
  out.generation = 1;
  out.sealed = core::Bytes(40, id);
  return out;
}

class StoredDatabase : public ::testing::Test {
 protected:
  StoredDatabase() {
    got(token::create_key_file(*shared_crypto(), scratch_.file("root.key")));
    root_ = got(token::open_key_file(shared_crypto(), scratch_.file("root.key")));
    token::TokenRecord record;
    record.token_id = kTokenId;
    record.root_check = core::Bytes(32, 1);
    record.label = core::Bytes(32, ' ');
    got(Store::create(path_, *set(), record, pin(PinRole::kSo, 1), {row(1)}));
  }
  std::unique_ptr<const token::RowSet> set() {
    return got(token::RowSet::create(shared_crypto(), *root_, kTokenId));
  }
  std::unique_ptr<Store> open() {
    auto store = got(Store::open(path_));
    got(store->guard(set(), {}));
    return store;
  }
  // What a program leaves that is killed, or that never ends the module: a log with all it did.
  void leave_long_log(std::uint8_t rows) {
    const auto added = [&] {
      const auto store = open();
      for (std::uint8_t id = 2; id < 2 + rows; ++id) {
        Store::Change change;
        change.add = {row(id)};
        got(store->apply(change));
      }
      _exit(0);
      return 1;
    };
    ASSERT_EQ(in_child(added), 0);
  }
  [[nodiscard]] std::uintmax_t log_size() const {
    return std::filesystem::file_size(path_ + "-wal");
  }
  // A change behind everybody's back.
  void run(const std::string& sql) const { Database(path_).run(sql); }

  Scratch scratch_;
  const std::string path_ = scratch_.file("token.db");
  std::unique_ptr<token::RootKey> root_;
};

TEST_F(StoredDatabase, ALongLogIsReadOnceAndThenEmptied) {
  leave_long_log(60);
  EXPECT_GT(log_size(), 64U * 4096);
  const auto store = open();
  EXPECT_EQ(log_size(), 0U);
  EXPECT_EQ(got(store->all_rows(true)).size(), 61U);
  // A short one stays: emptying it would cost each program two syncs.
  Store::Change change;
  change.add = {row(70)};
  got(store->apply(change));
  const auto kept = log_size();
  EXPECT_GT(kept, 0U);
  EXPECT_EQ(got(open()->all_rows(true)).size(), 62U);
  EXPECT_EQ(log_size(), kept);
}

TEST_F(StoredDatabase, ALongLogThatSomebodyReadsIsLeftToHim) {
  leave_long_log(60);
  const Database other(path_);
  other.run("BEGIN");
  ASSERT_EQ(other.number("SELECT count(*) FROM object"), 61);
  run("DELETE FROM removed");
  const auto before = log_size();
  const auto store = open();
  EXPECT_EQ(log_size(), before);
  EXPECT_EQ(got(store->all_rows(true)).size(), 61U);
  EXPECT_EQ(other.number("SELECT count(*) FROM object"), 61);
}

// A copy of the database in its place, while its log still lies there: what is in the log is none
// of the copy's.
TEST_F(StoredDatabase, A72_AFileThatTookTheDatabasesPlaceIsNotChanged) {
  const auto copy = read_file(path_);
  write_file(path_ + ".copy", copy);
  const auto other = open();
  Store::Change change;
  change.add = {row(2)};
  got(other->apply(change));
  const auto store = open();
  std::filesystem::rename(path_ + ".copy", path_);

  change.add = {row(3)};
  EXPECT_EQ(rv_of(store->apply(change)), CKR_TOKEN_NOT_RECOGNIZED);
  EXPECT_EQ(rv_of(store->reset_user(pin(PinRole::kUser, 2))), CKR_TOKEN_NOT_RECOGNIZED);
  EXPECT_EQ(rv_of(store->spend_try(PinRole::kSo)), CKR_TOKEN_NOT_RECOGNIZED);
  EXPECT_EQ(read_file(path_), copy);
}

TEST_F(StoredDatabase, IsOpenOnceUntilSomethingIsChanged) {
  const auto times_open = [&] {
    std::size_t times = 0;
    for (const auto& descriptor : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      times += std::filesystem::read_symlink(descriptor, gone) == path_ ? 1U : 0U;
    }
    return times;
  };
  const auto store = open();
  EXPECT_EQ(got(store->all_rows(true)).size(), 1U);
  EXPECT_EQ(got(store->pin(PinRole::kSo))->tries, 0U);
  EXPECT_EQ(times_open(), 1U);
  EXPECT_EQ(got(store->spend_try(PinRole::kSo)).tries, 1U);
  EXPECT_EQ(times_open(), 2U);
  got(store->restore_tries(PinRole::kSo));
  EXPECT_EQ(times_open(), 2U);
  EXPECT_EQ(got(open()->pin(PinRole::kSo))->tries, 0U);
}

TEST_F(StoredDatabase, A43_RowsOfAUsersEarlierLifeAreNotWritten) {
  const auto store = open();
  Store::Change change;
  change.add = {row(2, Tier::kPrivate)};
  change.pin_epoch = got(store->token()).pin_epoch;
  got(store->apply(change));
  got(open()->reset_user(pin(PinRole::kUser, 2)));
  change.add = {row(3, Tier::kPrivate)};
  EXPECT_EQ(rv_of(store->apply(change)), CKR_USER_NOT_LOGGED_IN);
  EXPECT_EQ(got(store->all_rows(true)).size(), 1U);
}

TEST_F(StoredDatabase, A48_NothingIsDecidedOnImmutableRowsThatOthersChanged) {
  const auto store = open();
  Store::Change change;
  change.immutable_since = got(store->beginning(false)).sequence;
  Store::Change others;
  others.add = {row(2, Tier::kImmutable)};
  got(open()->apply(others));
  change.add = {row(3)};
  EXPECT_EQ(rv_of(store->apply(change)), CKR_FUNCTION_FAILED);
  change.immutable_since = got(store->beginning(false)).sequence;
  EXPECT_EQ(rv_of(store->apply(change)), CKR_OK);
}

TEST_F(StoredDatabase, A40_APinIsChangedByWhoKnowsThePresentOne) {
  const auto store = open();
  const auto old = pin(PinRole::kSo, 1);
  got(open()->change_pin(old, pin(PinRole::kSo, 2)));
  EXPECT_EQ(rv_of(store->change_pin(old, pin(PinRole::kSo, 3))), CKR_PIN_INCORRECT);
  EXPECT_EQ(got(store->pin(PinRole::kSo))->salt, core::Bytes(16, 2));
  // There is no user yet.
  EXPECT_EQ(rv_of(store->change_pin(pin(PinRole::kUser, 1), pin(PinRole::kUser, 2))),
            CKR_PIN_INCORRECT);
  EXPECT_FALSE(got(store->pin(PinRole::kUser)).has_value());
}

TEST_F(StoredDatabase, A70_WithoutItsRecordIsDamaged) {
  const auto store = open();
  run("DELETE FROM token");
  EXPECT_EQ(rv_of(store->beginning(false)), CKR_DEVICE_ERROR);
  EXPECT_EQ(rv_of(store->changes_since(1, false)), CKR_DEVICE_ERROR);
  EXPECT_EQ(rv_of(store->token()), CKR_DEVICE_ERROR);
  EXPECT_EQ(rv_of(store->apply({})), CKR_DEVICE_ERROR);
}

TEST_F(StoredDatabase, A70_ARecordHasAnIdAndALabelOfTheirSizes) {
  const auto store = got(Store::open(path_));
  for (const char* const size : {"0", "15", "17"}) {
    run(std::string("UPDATE token SET token_id = zeroblob(") + size + ")");
    EXPECT_EQ(rv_of(store->token()), CKR_DEVICE_ERROR) << size;
  }
  run("UPDATE token SET token_id = zeroblob(16)");
  EXPECT_EQ(rv_of(store->token()), CKR_OK);
  for (const char* const size : {"0", "31", "33"}) {
    run(std::string("UPDATE token SET label = zeroblob(") + size + ")");
    EXPECT_EQ(rv_of(store->token()), CKR_DEVICE_ERROR) << size;
  }
}

// A row that is none hides that object alone.
TEST_F(StoredDatabase, A70_RowsHaveAnIdAndATierThatThereIs) {
  const auto store = got(Store::open(path_));
  const auto rows = [&] { return got(store->all_rows(true)).size(); };
  for (const char* const change :
       {"id = x''", "id = zeroblob(15)", "id = zeroblob(17)", "tier = 3"}) {
    run(std::string("UPDATE object SET ") + change);
    EXPECT_EQ(rows(), 0U) << change;
    run("UPDATE object SET id = zeroblob(16), tier = 0");
    EXPECT_EQ(rows(), 1U);
  }
}

TEST_F(StoredDatabase, A70_IsNotBegunAnewOverRowsWithoutAnId) {
  const auto store = open();
  run("UPDATE object SET id = zeroblob(15)");
  EXPECT_EQ(rv_of(store->reset_token(core::Bytes(32, 'x'), {})), CKR_DEVICE_ERROR);
  EXPECT_EQ(got(store->token()).label, core::Bytes(32, ' '));
}

TEST_F(StoredDatabase, A73_HasNoTableTooFewOrTooManyAndNoneOfAnotherForm) {
  run("CREATE TABLE zebra (stripes INTEGER)");
  EXPECT_EQ(rv_of(Store::open(path_)), CKR_TOKEN_NOT_RECOGNIZED);
  run("DROP TABLE zebra");
  run("DROP INDEX object_by_class");
  run("CREATE INDEX object_by_class ON object (tier)");
  EXPECT_EQ(rv_of(Store::open(path_)), CKR_TOKEN_NOT_RECOGNIZED);
  run("DROP INDEX object_by_class");
  run("CREATE INDEX object_by_class ON object (class)");
  EXPECT_EQ(rv_of(Store::open(path_)), CKR_OK);
  run("DROP TABLE token");
  EXPECT_EQ(rv_of(Store::open(path_)), CKR_TOKEN_NOT_RECOGNIZED);
}

}  // namespace
}  // namespace tallystick::test
