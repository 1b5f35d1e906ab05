#include "tests/bench/disk.h"

#include "core/base/bytes.h"
#include "tests/bench/module.h"

namespace tallystick::bench {
namespace {

// About what a token stores for a secret key.
constexpr int kRowSize = 300;

void right(int answer) {
  if (answer != SQLITE_OK && answer != SQLITE_DONE) stop(sqlite3_errstr(answer));
}

}  // namespace

CommitLoop::CommitLoop(const std::string& path) {
  sqlite3* database = nullptr;
  const int opened = sqlite3_open(path.c_str(), &database);
  database_.reset(database);
  right(opened);
  for (const char* const sql :
       {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
        "CREATE TABLE object (id INTEGER NOT NULL PRIMARY KEY, sealed BLOB NOT NULL)"}) {
    right(sqlite3_exec(database, sql, nullptr, nullptr, nullptr));
  }
  sqlite3_stmt* insert = nullptr;
  right(sqlite3_prepare_v2(database, "INSERT INTO object VALUES (?1, ?2)", -1, &insert, nullptr));
  insert_.reset(insert);
}

void CommitLoop::commit_row() {
  static constexpr core::ByteArray<kRowSize> kRow{1, 2, 3};
  right(sqlite3_bind_int64(insert_.get(), 1, next_++));
  right(sqlite3_bind_blob(insert_.get(), 2, kRow.data(), kRowSize, SQLITE_STATIC));
  right(sqlite3_step(insert_.get()));
  right(sqlite3_reset(insert_.get()));
}

}  // namespace tallystick::bench
