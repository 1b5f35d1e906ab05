#include "pkcs11/engine/schema.h"

#include <array>

#include "pkcs11/engine/store.h"

namespace tallystick::token {
namespace {

struct Item {
  std::string_view name;
  const char* sql;
};

// In the order of their names, which is the order of the comparison.
constexpr std::array<Item, 12> kSchema = {{
    {"object",
     "CREATE TABLE object (id BLOB NOT NULL PRIMARY KEY, class INTEGER NOT NULL, "
     "tier INTEGER NOT NULL, generation INTEGER NOT NULL, policy INTEGER NOT NULL, "
     "member BLOB NOT NULL, epoch INTEGER NOT NULL, job BLOB NOT NULL, "
     "sequence INTEGER NOT NULL, sealed BLOB NOT NULL, "
     "id_tag INTEGER NOT NULL DEFAULT 0, label_tag INTEGER NOT NULL DEFAULT 0)"},
    {"object_by_class", "CREATE INDEX object_by_class ON object (class)"},
    {"object_by_id_tag", "CREATE INDEX object_by_id_tag ON object (id_tag)"},
    {"object_by_label_tag", "CREATE INDEX object_by_label_tag ON object (label_tag)"},
    {"object_by_sequence", "CREATE INDEX object_by_sequence ON object (sequence)"},
    {"object_generations", "CREATE INDEX object_generations ON object (id, generation)"},
    {"object_immutable", "CREATE INDEX object_immutable ON object (tier) WHERE tier = 2"},
    {"object_untagged", "CREATE INDEX object_untagged ON object (tier) WHERE label_tag = 0"},
    {"pin",
     "CREATE TABLE pin (role INTEGER NOT NULL PRIMARY KEY, salt BLOB NOT NULL, "
     "cost_n INTEGER NOT NULL, cost_r INTEGER NOT NULL, cost_p INTEGER NOT NULL, "
     "sealed BLOB NOT NULL, tries INTEGER NOT NULL)"},
    {"removed", "CREATE TABLE removed (id BLOB NOT NULL PRIMARY KEY, sequence INTEGER NOT NULL)"},
    {"removed_by_sequence", "CREATE INDEX removed_by_sequence ON removed (sequence)"},
    {"token",
     "CREATE TABLE token (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), "
     "token_id BLOB NOT NULL, root_check BLOB NOT NULL, label BLOB NOT NULL, "
     "pin_epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, trimmed INTEGER NOT NULL, "
     "set_seal BLOB NOT NULL DEFAULT x'')"},
}};

// Version 2: tags to search by. Rows from before have none and are read with every start, until
// they are written again.
Outcome<void> add_tags(const Database& database) {
  for (const auto* const column : {"id_tag", "label_tag"}) {
    const auto sql =
        "ALTER TABLE object ADD COLUMN " + std::string(column) + " INTEGER NOT NULL DEFAULT 0";
    if (auto done = database.run(sql.c_str()); !done) return done;
  }
  for (const auto& item : kSchema) {
    const bool is_new = item.name.starts_with("object_") && item.name != "object_by_sequence" &&
                        item.name != "object_generations";
    if (!is_new) continue;
    if (auto done = database.run(item.sql); !done) return done;
  }
  return {};
}

// Version 3: the rows as a set. Who opens the database next seals what it finds (RowSet::adopt).
Outcome<void> add_set(const Database& database) {
  auto done = database.run("ALTER TABLE token ADD COLUMN set_seal BLOB NOT NULL DEFAULT x''");
  if (!done) return done;
  for (const auto& item : kSchema) {
    if (item.name == "object_generations") return database.run(item.sql);
  }
  return {};
}

// Each brings a database from version i + 1 to i + 2.
using Migration = Outcome<void> (*)(const Database&);
constexpr std::array<Migration, kSchemaVersion - 1> kMigrations = {add_tags, add_set};

Fault not_ours(std::string_view what) { return fault(CKR_TOKEN_NOT_RECOGNIZED, what); }

Outcome<unsigned> version_of(const Database& database) {
  auto statement = Statement::prepare(database, "PRAGMA user_version");
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  return *row ? static_cast<unsigned>(statement->number(0)) : 0U;
}

// Kept in the file, and other programs can turn it off: what a token tells by the WAL's index
// (WalWatch) and what it promises after a power cut rest on it.
Outcome<void> use_wal(const Database& database) {
  auto statement = Statement::prepare(database, "PRAGMA journal_mode = WAL");
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  if (!*row || core::text_of(statement->blob(0)) != "wal") {
    return fault(CKR_DEVICE_ERROR, "the token's database cannot keep a write-ahead log");
  }
  return {};
}

Outcome<void> set_version(const Database& database, unsigned version) {
  const auto sql = "PRAGMA user_version = " + std::to_string(version);
  return database.run(sql.c_str());
}

Outcome<void> migrate(const Database& database, unsigned from) {
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::move(transaction).error();
  for (std::size_t step = from; step < kSchemaVersion; ++step) {
    if (auto done = kMigrations[step - 1](database); !done) return done;
  }
  if (auto set = set_version(database, kSchemaVersion); !set) return set;
  return transaction->commit();
}

}  // namespace

Outcome<void> create_schema(const Database& database) {
  if (auto wal = use_wal(database); !wal) return wal;
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::move(transaction).error();
  for (const auto& item : kSchema) {
    if (auto made = database.run(item.sql); !made) return made;
  }
  if (auto set = set_version(database, kSchemaVersion); !set) return set;
  return transaction->commit();
}

Outcome<void> check_schema(const Database& database) {
  auto version = version_of(database);
  if (!version) return std::move(version).error();
  if (*version == 0 || *version > kSchemaVersion) {
    return not_ours("the token's database has a schema of another version");
  }
  if (auto wal = use_wal(database); !wal) return wal;
  if (*version < kSchemaVersion) {
    if (auto done = migrate(database, *version); !done) return done;
  }
  auto statement = Statement::prepare(
      database, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name");
  if (!statement) return std::move(statement).error();
  for (const auto& item : kSchema) {
    auto row = statement->step();
    if (!row) return std::move(row).error();
    if (!*row || core::text_of(statement->blob(0)) != item.name ||
        core::text_of(statement->blob(1)) != item.sql) {
      return not_ours("the token's database has a schema that is not the expected one");
    }
  }
  auto more = statement->step();
  if (!more) return std::move(more).error();
  if (*more) return not_ours("the token's database holds more than a token");
  return {};
}

}  // namespace tallystick::token
