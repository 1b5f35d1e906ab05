#include "pkcs11/engine/store.h"

#include <algorithm>
#include <iterator>

#include "pkcs11/engine/files.h"
#include "pkcs11/engine/pin.h"
#include "pkcs11/engine/schema.h"

namespace tallystick::token {
namespace {

constexpr std::string_view kRowColumns =
    "id, class, tier, generation, policy, member, epoch, job, sealed";
// Removed ids that are kept for processes that have not looked for a while; one that looks later
// reads everything.
constexpr std::uint64_t kKeptRemovals = 4096;
// Frames from which on the log is emptied by who opens the database. SQLite does so when the last
// connection is closed and after a thousand frames; programs that load a module without ever ending
// it, and those that are killed, never close one, and the next program reads all they left.
constexpr std::uint32_t kLongLog = 64;

core::Bytes copy(core::ByteView view) { return {view.begin(), view.end()}; }

Fault damaged() { return fault(CKR_DEVICE_ERROR, "the token's database is damaged"); }
Fault conflict() {
  return fault(CKR_FUNCTION_FAILED, "the object was changed or destroyed by somebody else");
}

Outcome<ObjectRow> read_row(const Statement& statement) {
  ObjectRow row;
  const auto id = statement.blob(0);
  const auto tier = statement.number(2);
  if (id.size() != row.id.size() || tier > static_cast<std::uint64_t>(Tier::kImmutable)) {
    return damaged();
  }
  row.id = core::array_of<16>(id);
  row.object_class = statement.number(1);
  row.tier = static_cast<Tier>(tier);
  row.generation = statement.number(3);
  row.policy = statement.number(4);
  row.group = copy(statement.blob(5));
  row.epoch = statement.number(6);
  row.job = copy(statement.blob(7));
  row.sealed = copy(statement.blob(8));
  return row;
}

// Rows of wrong shape are left out, so that one damaged row does not take the others with it.
Outcome<std::vector<ObjectRow>> read_rows(Statement& statement) {
  std::vector<ObjectRow> rows;
  while (true) {
    auto more = statement.step();
    if (!more) return std::move(more).error();
    if (!*more) break;
    if (auto row = read_row(statement)) rows.push_back(*std::move(row));
  }
  statement.reset();
  return rows;
}

}  // namespace

Outcome<void> Store::create(const std::string& path, const RowSet& set, const TokenRecord& token,
                            const PinRow& so_pin, const std::vector<ObjectRow>& objects) {
  const InSqlite inside;
  // SQLite gives its other files the mode of this one.
  if (auto made = write_new_file(path, {}); !made) return made;
  auto first = Database::open(path);
  if (!first) return std::move(first).error();
  if (auto made = create_schema(*first); !made) return made;
  Store store(path, *std::move(first));
  if (auto ready = store.prepare(); !ready) return ready;

  const ConnectionLock lock(store.write_mutex_);
  auto transaction = store.begin_change();
  if (!transaction) return std::move(transaction).error();
  auto statement = Statement::prepare(
      *store.writer_,
      "INSERT INTO token (one, token_id, root_check, label, pin_epoch, sequence, trimmed) "
      "VALUES (1, ?1, ?2, ?3, ?4, 1, 0)");
  if (!statement) return std::move(statement).error();
  statement->bind(1, token.token_id).bind(2, token.root_check).bind(3, token.label);
  statement->bind(4, token.pin_epoch);
  if (auto done = statement->run(); !done) return done;
  if (auto done = store.write_pin(so_pin); !done) return done;
  auto nothing = set.adopt(*store.writer_);
  if (!nothing) return nothing;
  auto state = set.open(*store.writer_);
  if (!state) return std::move(state).error();
  for (const auto& row : objects) {
    if (auto done = store.insert(row, 1, *state); !done) return done;
  }
  if (auto sealed = state->seal(); !sealed) return sealed;
  return transaction->commit();
}

Outcome<std::unique_ptr<Store>> Store::open(const std::string& path) {
  const InSqlite inside;
  auto first = Database::open(path);
  if (!first) return std::move(first).error();
  if (auto checked = check_schema(*first); !checked) return std::move(checked).error();
  if (WalWatch::frames(*first).value_or(0) >= kLongLog) first->empty_log();
  std::unique_ptr<Store> store(new Store(path, *std::move(first)));
  if (auto ready = store->prepare(); !ready) return std::move(ready).error();
  return store;
}

Outcome<void> Store::prepare() {
  const ConnectionLock lock(read_mutex_);
  auto statement = Statement::prepare(reader_, "PRAGMA data_version");
  if (!statement) return std::move(statement).error();
  data_version_ = *std::move(statement);
  const auto file = identity_of(path_);
  if (!file) return fault(CKR_DEVICE_ERROR, path_ + ": has gone");
  if (reader_.has_moved()) return another_file();
  file_ = *file;
  return {};
}

Outcome<Transaction> Store::begin_change() {
  if (!writer_) {
    // Of the file that the other connection has: opening another one would write this one's log
    // into it. And once more, for what happened meanwhile.
    if (auto same = check_file(); !same) return std::move(same).error();
    auto opened = Database::open(path_);
    if (!opened) return std::move(opened).error();
    if (auto same = check_file(); !same) return std::move(same).error();
    if (opened->has_moved()) return another_file();
    writer_.emplace(*std::move(opened));
  }
  return Transaction::begin(*writer_);
}

Outcome<bool> Store::never_sealed() {
  auto statement =
      Statement::prepare(*writer_, "SELECT 1 FROM token WHERE one = 1 AND set_seal = x''");
  if (!statement) return std::move(statement).error();
  return statement->step();
}

Outcome<void> Store::guard(std::unique_ptr<const RowSet> set, core::ByteView adopted) {
  set_ = std::move(set);
  if (!adopted.empty()) {
    const ConnectionLock lock(write_mutex_);
    auto transaction = begin_change();
    if (!transaction) return std::move(transaction).error();
    // Another process may have been here meanwhile.
    auto bare = never_sealed();
    if (!bare) return std::move(bare).error();
    if (*bare) {
      auto statement =
          Statement::prepare(*writer_, "UPDATE token SET root_check = ?1 WHERE one = 1");
      if (!statement) return std::move(statement).error();
      if (auto done = statement->bind(1, adopted).run(); !done) return done;
      if (auto sealed = set_->adopt(*writer_); !sealed) return sealed;
      if (auto done = transaction->commit(); !done) return done;
    }
  }
  const ConnectionLock lock(read_mutex_);
  auto reading = Transaction::begin_reading(reader_);
  if (!reading) return std::move(reading).error();
  return set_->check(reader_);
}

Outcome<void> Store::check_file() const {
  if (identity_of(path_) == file_) return {};
  return another_file();
}

Fault Store::another_file() const {
  return fault(CKR_TOKEN_NOT_RECOGNIZED, path_ + ": another file has taken its place");
}

Outcome<Store::Seen> Store::look() {
  const ConnectionLock lock(read_mutex_);
  Seen seen;
  seen.wal = watch_.look(reader_);
  auto row = data_version_.step();
  if (!row) return std::move(row).error();
  seen.data_version = *row ? data_version_.number(0) : 0;
  data_version_.reset();
  return seen;
}

void Store::accept(const Seen& seen) {
  seen_version_ = seen.data_version;
  if (seen.wal) watch_.accept(*seen.wal);
}

Outcome<std::vector<ObjectRow>> Store::select(std::string_view condition,
                                              std::initializer_list<std::uint64_t> values,
                                              bool with_private) {
  auto statement = Statement::prepare(reader_, "SELECT " + std::string(kRowColumns) +
                                                   " FROM object WHERE " + std::string(condition) +
                                                   (with_private ? "" : " AND tier <> 1"));
  if (!statement) return std::move(statement).error();
  int index = 0;
  for (const auto value : values) statement->bind(++index, value);
  return read_rows(*statement);
}

Outcome<std::vector<ObjectRow>> Store::all_rows(bool with_private) {
  const ConnectionLock lock(read_mutex_);
  return select("1", {}, with_private);
}

Outcome<std::vector<ObjectRow>> Store::rows_of(CK_OBJECT_CLASS object_class, bool with_private) {
  const ConnectionLock lock(read_mutex_);
  return select("class = ?1", {object_class}, with_private);
}

Outcome<std::vector<ObjectRow>> Store::rows_tagged(std::size_t tag,
                                                   const std::array<std::uint64_t, 3>& values,
                                                   bool with_private) {
  static_assert(kTagged == std::array<CK_ATTRIBUTE_TYPE, 2>{CKA_ID, CKA_LABEL});
  const ConnectionLock lock(read_mutex_);
  return select(tag == 0 ? "id_tag IN (?1, ?2, ?3)" : "label_tag IN (?1, ?2, ?3)",
                {values[0], values[1], values[2]}, with_private);
}

Outcome<Store::Delta> Store::beginning(bool with_private) {
  const ConnectionLock lock(read_mutex_);
  auto transaction = Transaction::begin_reading(reader_);
  if (!transaction) return std::move(transaction).error();
  return read_beginning(with_private);
}

Outcome<Store::Delta> Store::read_beginning(bool with_private) {
  auto delta = read_state();
  if (!delta) return delta;
  // Two queries: an OR over two partial indexes would read the whole table.
  for (const auto* const condition : {"tier = 2", "label_tag = 0 AND tier <> 2"}) {
    auto rows = select(condition, {}, with_private);
    if (!rows) return std::move(rows).error();
    std::ranges::move(*rows, std::back_inserter(delta->rows));
  }
  return delta;
}

Outcome<Store::Delta> Store::changes_since(std::uint64_t sequence, bool with_private) {
  const ConnectionLock lock(read_mutex_);
  auto transaction = Transaction::begin_reading(reader_);
  if (!transaction) return std::move(transaction).error();
  return read_changes(sequence, with_private);
}

Outcome<Store::Delta> Store::read_state() {
  Delta delta;
  auto state =
      Statement::prepare(reader_, "SELECT sequence, trimmed, pin_epoch FROM token WHERE one = 1");
  if (!state) return std::move(state).error();
  auto there = state->step();
  if (!there) return std::move(there).error();
  if (!*there) return damaged();
  delta.sequence = state->number(0);
  delta.trimmed = state->number(1);
  delta.pin_epoch = state->number(2);
  return delta;
}

Outcome<Store::Delta> Store::read_changes(std::uint64_t sequence, bool with_private) {
  auto state = read_state();
  if (!state) return state;
  auto delta = *std::move(state);
  if (delta.sequence == sequence) return delta;
  // Somebody has written: what he wrote stands under the seal, or he is no token.
  if (auto sealed = set_->open(reader_); !sealed) return std::move(sealed).error();
  delta.all = sequence < delta.trimmed || sequence > delta.sequence;
  auto rows = select("sequence > ?1", {delta.all ? 0 : sequence}, with_private);
  if (!rows) return std::move(rows).error();
  delta.rows = *std::move(rows);
  if (delta.all) return delta;

  auto removed = Statement::prepare(reader_, "SELECT id FROM removed WHERE sequence > ?1");
  if (!removed) return std::move(removed).error();
  removed->bind(1, sequence);
  while (true) {
    auto more = removed->step();
    if (!more) return std::move(more).error();
    if (!*more) break;
    if (removed->blob(0).size() == sizeof(ObjectId)) {
      delta.removed.push_back(core::array_of<16>(removed->blob(0)));
    }
  }
  return delta;
}

Outcome<TokenRecord> Store::token() {
  const ConnectionLock lock(read_mutex_);
  auto statement = Statement::prepare(
      reader_, "SELECT token_id, root_check, label, pin_epoch FROM token WHERE one = 1");
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  TokenRecord record;
  if (!*row || statement->blob(0).size() != record.token_id.size() ||
      statement->blob(2).size() != 32) {
    return damaged();
  }
  record.token_id = core::array_of<16>(statement->blob(0));
  record.root_check = copy(statement->blob(1));
  record.label = copy(statement->blob(2));
  record.pin_epoch = statement->number(3);
  return record;
}

Outcome<std::optional<PinRow>> Store::pin(PinRole role) {
  const ConnectionLock lock(read_mutex_);
  auto statement = Statement::prepare(
      reader_, "SELECT salt, cost_n, cost_r, cost_p, sealed, tries FROM pin WHERE role = ?1");
  if (!statement) return std::move(statement).error();
  statement->bind(1, static_cast<std::uint64_t>(role));
  auto row = statement->step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<PinRow>();
  PinRow pin;
  pin.role = role;
  pin.salt = copy(statement->blob(0));
  pin.cost = {statement->number(1), static_cast<std::uint32_t>(statement->number(2)),
              static_cast<std::uint32_t>(statement->number(3))};
  pin.sealed = copy(statement->blob(4));
  pin.tries = static_cast<unsigned>(statement->number(5));
  return std::optional<PinRow>(std::move(pin));
}

Outcome<std::uint64_t> Store::next_sequence() {
  auto statement = Statement::prepare(
      *writer_, "UPDATE token SET sequence = sequence + 1 WHERE one = 1 RETURNING sequence");
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  if (!*row) return damaged();
  const auto sequence = statement->number(0);
  statement->reset();

  if (sequence % kKeptRemovals == 0) {
    auto trim = Statement::prepare(*writer_, "DELETE FROM removed WHERE sequence <= ?1");
    auto mark = Statement::prepare(*writer_, "UPDATE token SET trimmed = ?1 WHERE one = 1");
    if (!trim) return std::move(trim).error();
    if (!mark) return std::move(mark).error();
    const auto before = sequence - kKeptRemovals;
    if (auto done = trim->bind(1, before).run(); !done) return std::move(done).error();
    if (auto done = mark->bind(1, before).run(); !done) return std::move(done).error();
  }
  return sequence;
}

Outcome<void> Store::insert(const ObjectRow& row, std::uint64_t sequence, RowSet::State& set) {
  auto statement = Statement::prepare(
      *writer_,
      "INSERT INTO object (id, class, tier, generation, policy, member, epoch, job, sealed, "
      "sequence, id_tag, label_tag) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
  if (!statement) return std::move(statement).error();
  statement->bind(1, row.id).bind(2, row.object_class);
  statement->bind(3, static_cast<std::uint64_t>(row.tier)).bind(4, row.generation);
  statement->bind(5, row.policy).bind(6, row.group).bind(7, row.epoch).bind(8, row.job);
  statement->bind(9, row.sealed).bind(10, sequence);
  statement->bind(11, row.tags[0]).bind(12, row.tags[1]);
  if (auto done = statement->run(); !done) return done;
  return set.add({row.id, row.generation});
}

Outcome<void> Store::take_row(const RowSet::Member& row, RowSet::State& set) {
  auto statement =
      Statement::prepare(*writer_, "DELETE FROM object WHERE id = ?1 AND generation = ?2");
  if (!statement) return std::move(statement).error();
  if (auto done = statement->bind(1, row.id).bind(2, row.generation).run(); !done) {
    return done;
  }
  if (sqlite3_changes(writer_->get()) != 1) return conflict();
  return set.remove(row);
}

Outcome<void> Store::write_pin(const PinRow& pin) {
  auto statement = Statement::prepare(
      *writer_,
      "INSERT OR REPLACE INTO pin (role, salt, cost_n, cost_r, cost_p, sealed, tries) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  if (!statement) return std::move(statement).error();
  statement->bind(1, static_cast<std::uint64_t>(pin.role)).bind(2, pin.salt).bind(3, pin.cost.n);
  statement->bind(4, std::uint64_t{pin.cost.r}).bind(5, std::uint64_t{pin.cost.p});
  statement->bind(6, pin.sealed).bind(7, std::uint64_t{pin.tries});
  return statement->run();
}

Outcome<std::uint64_t> Store::apply(const Change& change) {
  const ConnectionLock lock(write_mutex_);
  auto transaction = begin_change();
  if (!transaction) return std::move(transaction).error();
  auto set = set_->open(*writer_);
  if (!set) return std::move(set).error();
  if (change.pin_epoch) {
    auto epoch = Statement::prepare(*writer_, "SELECT pin_epoch FROM token WHERE one = 1");
    if (!epoch) return std::move(epoch).error();
    auto row = epoch->step();
    if (!row) return std::move(row).error();
    if (!*row || epoch->number(0) != *change.pin_epoch) return not_logged_in();
  }
  if (change.immutable_since) {
    auto since = Statement::prepare(
        *writer_, "SELECT 1 FROM object WHERE sequence > ?1 AND tier = 2 LIMIT 1");
    if (!since) return std::move(since).error();
    auto row = since->bind(1, *change.immutable_since).step();
    if (!row) return std::move(row).error();
    if (*row) return conflict();
  }
  auto sequence = next_sequence();
  if (!sequence) return std::move(sequence).error();
  for (const auto& row : change.add) {
    if (auto done = insert(row, *sequence, *set); !done) return std::move(done).error();
  }
  for (const auto& row : change.replace) {
    auto done = take_row({row.id, row.generation - 1}, *set);
    if (done) done = insert(row, *sequence, *set);
    if (!done) return std::move(done).error();
  }
  for (const auto& expected : change.remove) {
    if (auto done = take_row(expected, *set); !done) return std::move(done).error();
    auto mark = Statement::prepare(*writer_,
                                   "INSERT OR REPLACE INTO removed (id, sequence) VALUES (?1, ?2)");
    if (!mark) return std::move(mark).error();
    if (auto done = mark->bind(1, expected.id).bind(2, *sequence).run(); !done) {
      return std::move(done).error();
    }
  }
  if (auto sealed = set->seal(); !sealed) return std::move(sealed).error();
  if (auto done = transaction->commit(); !done) return std::move(done).error();
  return *sequence;
}

Outcome<PinRow> Store::spend_try(PinRole role) {
  {
    const ConnectionLock lock(write_mutex_);
    auto transaction = begin_change();
    if (!transaction) return std::move(transaction).error();
    auto set = set_->open(*writer_);
    if (!set) return std::move(set).error();
    auto statement =
        Statement::prepare(*writer_,
                           "UPDATE pin SET tries = tries + 1 WHERE role = ?1 AND tries >= 0 "
                           "AND tries < ?2");
    if (!statement) return std::move(statement).error();
    statement->bind(1, static_cast<std::uint64_t>(role)).bind(2, std::uint64_t{kMaxTries});
    if (auto done = statement->run(); !done) return std::move(done).error();
    const bool spent = sqlite3_changes(writer_->get()) == 1;
    if (spent) {
      if (auto sealed = set->seal(); !sealed) return std::move(sealed).error();
      if (auto done = transaction->commit(); !done) return std::move(done).error();
    } else {
      auto there = Statement::prepare(*writer_, "SELECT 1 FROM pin WHERE role = ?1");
      if (!there) return std::move(there).error();
      auto row = there->bind(1, static_cast<std::uint64_t>(role)).step();
      if (!row) return std::move(row).error();
      if (!*row) return fault(CKR_USER_PIN_NOT_INITIALIZED, "there is no PIN yet");
      return fault(CKR_PIN_LOCKED, "no tries are left");
    }
  }
  auto row = pin(role);
  if (!row) return std::move(row).error();
  if (!*row) return fault(CKR_USER_PIN_NOT_INITIALIZED, "there is no PIN any more");
  return **std::move(row);
}

Outcome<void> Store::restore_tries(PinRole role) {
  const ConnectionLock lock(write_mutex_);
  auto transaction = begin_change();
  if (!transaction) return std::move(transaction).error();
  auto set = set_->open(*writer_);
  if (!set) return std::move(set).error();
  auto statement = Statement::prepare(*writer_, "UPDATE pin SET tries = 0 WHERE role = ?1");
  if (!statement) return std::move(statement).error();
  if (auto done = statement->bind(1, static_cast<std::uint64_t>(role)).run(); !done) return done;
  if (auto sealed = set->seal(); !sealed) return sealed;
  return transaction->commit();
}

Outcome<void> Store::change_pin(const PinRow& old, const PinRow& next) {
  const ConnectionLock lock(write_mutex_);
  auto transaction = begin_change();
  if (!transaction) return std::move(transaction).error();
  auto set = set_->open(*writer_);
  if (!set) return std::move(set).error();
  auto statement = Statement::prepare(*writer_, "SELECT salt FROM pin WHERE role = ?1");
  if (!statement) return std::move(statement).error();
  auto row = statement->bind(1, static_cast<std::uint64_t>(old.role)).step();
  if (!row) return std::move(row).error();
  if (!*row || copy(statement->blob(0)) != old.salt) {
    return fault(CKR_PIN_INCORRECT, "the PIN was changed by somebody else");
  }
  statement->reset();
  if (auto done = write_pin(next); !done) return done;
  if (auto sealed = set->seal(); !sealed) return sealed;
  return transaction->commit();
}

Outcome<void> Store::remove_where(std::string_view condition, std::uint64_t sequence,
                                  const std::set<ObjectId>& keep, RowSet::State& set) {
  std::vector<RowSet::Member> rows;
  auto select = Statement::prepare(
      *writer_, "SELECT id, generation FROM object WHERE " + std::string(condition));
  if (!select) return std::move(select).error();
  while (true) {
    auto row = select->step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    if (select->blob(0).size() != sizeof(ObjectId)) return damaged();
    const auto id = core::array_of<16>(select->blob(0));
    if (!keep.contains(id)) rows.push_back({id, select->number(1)});
  }
  select->reset();
  auto mark =
      Statement::prepare(*writer_, "INSERT OR REPLACE INTO removed (id, sequence) VALUES (?1, ?2)");
  if (!mark) return std::move(mark).error();
  for (const auto& row : rows) {
    if (auto done = take_row(row, set); !done) return done;
    if (auto done = mark->bind(1, row.id).bind(2, sequence).run(); !done) return done;
  }
  return {};
}

Outcome<void> Store::reset_user(const PinRow& user_pin) {
  const ConnectionLock lock(write_mutex_);
  auto transaction = begin_change();
  if (!transaction) return std::move(transaction).error();
  auto set = set_->open(*writer_);
  if (!set) return std::move(set).error();
  auto sequence = next_sequence();
  if (!sequence) return std::move(sequence).error();
  if (auto done = write_pin(user_pin); !done) return done;
  if (auto done = remove_where("tier = 1", *sequence, {}, *set); !done) return done;
  if (auto done = writer_->run("UPDATE token SET pin_epoch = pin_epoch + 1 WHERE one = 1"); !done) {
    return done;
  }
  if (auto sealed = set->seal(); !sealed) return sealed;
  return transaction->commit();
}

Outcome<void> Store::reset_token(core::ByteView label, const std::set<ObjectId>& keep) {
  const ConnectionLock lock(write_mutex_);
  auto transaction = begin_change();
  if (!transaction) return std::move(transaction).error();
  auto set = set_->open(*writer_);
  if (!set) return std::move(set).error();
  auto sequence = next_sequence();
  if (!sequence) return std::move(sequence).error();
  if (auto done = writer_->run("DELETE FROM pin WHERE role = 1"); !done) return done;
  if (auto done = remove_where("tier <> 2", *sequence, keep, *set); !done) return done;
  auto statement = Statement::prepare(
      *writer_, "UPDATE token SET label = ?1, pin_epoch = pin_epoch + 1 WHERE one = 1");
  if (!statement) return std::move(statement).error();
  if (auto done = statement->bind(1, label).run(); !done) return done;
  if (auto sealed = set->seal(); !sealed) return sealed;
  return transaction->commit();
}

}  // namespace tallystick::token
