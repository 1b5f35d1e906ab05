// Store: one token's database. Knows rows and transactions, no keys and no policy. Every change is
// durable (WAL, synchronous=FULL) when the call returns. Two connections: one sees what others
// commit and counts the tries of PINs; one writes all else, and is opened with the first change,
// since most programs make none. Each has a lock of its own, held while SQLite works and never
// longer.
#pragma once

#include <atomic>
#include <optional>
#include <set>
#include <vector>

#include "pkcs11/engine/files.h"
#include "pkcs11/engine/lock.h"
#include "pkcs11/engine/row.h"
#include "pkcs11/engine/row_set.h"
#include "pkcs11/engine/sqlite.h"
#include "pkcs11/engine/wal_watch.h"

namespace tallystick::token {

// The version of the schema, in the database's user_version.
constexpr unsigned kSchemaVersion = 3;

class Store {
 public:
  struct Change {
    std::vector<ObjectRow> add;
    // A row whose generation must still be one less.
    std::vector<ObjectRow> replace;
    std::vector<RowSet::Member> remove;
    // When set: the epoch under whose private key the rows are sealed.
    std::optional<std::uint64_t> pin_epoch;
    // When set: no immutable row may have come or changed after this sequence.
    std::optional<std::uint64_t> immutable_since;
  };
  struct Delta {
    // True: the rows are all there are, and what is not among them is gone.
    bool all = false;
    std::vector<ObjectRow> rows;
    std::vector<ObjectId> removed;
    std::uint64_t sequence = 0;
    // Removals up to this sequence are forgotten.
    std::uint64_t trimmed = 0;
    std::uint64_t pin_epoch = 0;
  };

  // Makes the database file with its first rows.
  static Outcome<void> create(const std::string& path, const RowSet& set, const TokenRecord& token,
                              const PinRow& so_pin, const std::vector<ObjectRow>& objects);
  // Opens, migrates an older schema, and refuses one that is not exactly the expected (A73).
  static Outcome<std::unique_ptr<Store>> open(const std::string& path);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store() = default;

  // Looks at the whole database once, and from then on at the seal before each change and after
  // those of others: rows that were taken out or put back are CKR_DEVICE_ERROR. Before anything but
  // token(). With `adopted`, a database that never had a set is sealed as it is, and keeps this
  // root check from then on.
  Outcome<void> guard(std::unique_ptr<const RowSet> set, core::ByteView adopted);

  // A state of the database, told from what SQLite says cheaply.
  struct Seen {
    std::uint64_t data_version = 0;
    std::optional<WalWatch::Words> wal;
  };
  // True when nobody has committed since the state that was accepted last. No lock, no system call.
  [[nodiscard]] bool unchanged() const { return watch_.unchanged(); }
  // The present state. Whoever has read what was committed up to it accepts it afterwards, never
  // before: unchanged() answers for the readers.
  Outcome<Seen> look();
  void accept(const Seen& seen);
  // Whether the state is another one than that accepted last.
  [[nodiscard]] bool differs(const Seen& seen) const { return seen.data_version != seen_version_; }
  // CKR_TOKEN_NOT_RECOGNIZED when another file has taken the place of the one that is open.
  Outcome<void> check_file() const;
  // Where the database stands, with the rows that everybody needs: immutable ones, and those
  // without tags. Private rows here and below only for who can open them.
  Outcome<Delta> beginning(bool with_private);
  // What was committed after `sequence`; everything when it is too long ago to tell.
  Outcome<Delta> changes_since(std::uint64_t sequence, bool with_private);
  // All rows; those of a class; those that have one of these tags.
  Outcome<std::vector<ObjectRow>> all_rows(bool with_private);
  Outcome<std::vector<ObjectRow>> rows_of(CK_OBJECT_CLASS object_class, bool with_private);
  Outcome<std::vector<ObjectRow>> rows_tagged(std::size_t tag,
                                              const std::array<std::uint64_t, 3>& values,
                                              bool with_private);

  Outcome<TokenRecord> token();
  Outcome<std::optional<PinRow>> pin(PinRole role);

  // All of it or nothing; gives the sequence of the change. CKR_FUNCTION_FAILED when a row is not
  // as expected any more.
  Outcome<std::uint64_t> apply(const Change& change);

  // Takes one try and says so durably before the PIN may be compared (A40), in one transaction
  // (A41). CKR_PIN_LOCKED when none is left, CKR_USER_PIN_NOT_INITIALIZED when there is no PIN.
  Outcome<PinRow> spend_try(PinRole role);
  Outcome<void> restore_tries(PinRole role);
  // Replaces a PIN that is still the one in `old`.
  Outcome<void> change_pin(const PinRow& old, const PinRow& next);
  // C_InitPIN: a new user PIN; private rows go.
  Outcome<void> reset_user(const PinRow& user_pin);
  // C_InitToken: the label; the user's PIN and all rows but immutable ones and `keep` go.
  Outcome<void> reset_token(core::ByteView label, const std::set<ObjectId>& keep);

 private:
  Store(std::string path, Database reader) : path_(std::move(path)), reader_(std::move(reader)) {}
  Outcome<void> prepare();
  Outcome<Transaction> begin_change() TS_REQUIRES(write_mutex_);
  [[nodiscard]] Fault another_file() const;
  Outcome<Delta> read_state() TS_REQUIRES(read_mutex_);
  Outcome<Delta> read_changes(std::uint64_t sequence, bool with_private) TS_REQUIRES(read_mutex_);
  Outcome<bool> never_sealed() TS_REQUIRES(write_mutex_);
  Outcome<Delta> read_beginning(bool with_private) TS_REQUIRES(read_mutex_);
  Outcome<std::vector<ObjectRow>> select(std::string_view condition,
                                         std::initializer_list<std::uint64_t> values,
                                         bool with_private) TS_REQUIRES(read_mutex_);
  Outcome<std::uint64_t> next_sequence() TS_REQUIRES(write_mutex_);
  Outcome<void> insert(const ObjectRow& row, std::uint64_t sequence, RowSet::State& set)
      TS_REQUIRES(write_mutex_);
  // Removes a row that is still of this generation.
  Outcome<void> take_row(const RowSet::Member& row, RowSet::State& set) TS_REQUIRES(write_mutex_);
  Outcome<void> write_pin(const PinRow& pin) TS_REQUIRES(write_mutex_);
  Outcome<void> remove_where(std::string_view condition, std::uint64_t sequence,
                             const std::set<ObjectId>& keep, RowSet::State& set)
      TS_REQUIRES(write_mutex_);

  const std::string path_;
  FileIdentity file_;
  Mutex write_mutex_;
  std::optional<Database> writer_ TS_GUARDED_BY(write_mutex_);
  Mutex read_mutex_;
  Database reader_ TS_GUARDED_BY(read_mutex_);
  Statement data_version_ TS_GUARDED_BY(read_mutex_);
  std::atomic<std::uint64_t> seen_version_{0};
  std::unique_ptr<const RowSet> set_;  // from guard() on
  WalWatch watch_;
};

}  // namespace tallystick::token
