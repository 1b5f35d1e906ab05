#include "pkcs11/engine/sqlite.h"

#include <cerrno>

namespace tallystick::token {
namespace {

constexpr int kBusyMilliseconds = 30'000;
constexpr int kLargestValue = 32 << 20;

Fault failure(sqlite3* database, std::string_view what) {
  std::string message(what);
  message += ": ";
  message += sqlite3_errmsg(database);
  const int code = sqlite3_errcode(database) & 0xff;
  // SQLite has a code for a full disk, but does not give it for every call that needs room.
  const bool full =
      code == SQLITE_FULL || (code == SQLITE_IOERR && sqlite3_system_errno(database) == ENOSPC);
  return {code == SQLITE_NOMEM ? CKR_HOST_MEMORY
          : full               ? CKR_DEVICE_MEMORY
                               : CKR_DEVICE_ERROR,
          std::move(message)};
}

}  // namespace

Outcome<Database> Database::open(const std::string& path) {
  const InSqlite inside;
  sqlite3* handle = nullptr;
  // No SQLITE_OPEN_CREATE: the file was made before, with its mode. Each connection has a lock of
  // its own in the store, so SQLite's is not needed.
  const int opened = sqlite3_open_v2(
      path.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
      nullptr);
  Database database(handle);
  if (handle != nullptr) remember_connection(handle);
  if (opened != SQLITE_OK) {
    return handle != nullptr ? database.failed("the token's database does not open")
                             : fault(CKR_HOST_MEMORY, "no memory for the token's database");
  }
  (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 0, nullptr);
  (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  (void)sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kLargestValue);
  (void)sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  (void)sqlite3_busy_timeout(handle, kBusyMilliseconds);
  for (const char* const pragma : {"PRAGMA cell_size_check = ON", "PRAGMA synchronous = FULL",
                                   "PRAGMA temp_store = MEMORY", "PRAGMA mmap_size = 0"}) {
    if (auto done = database.run(pragma); !done) return std::move(done).error();
  }
  sqlite3_stmt* rollback = nullptr;
  if (sqlite3_prepare_v3(handle, "ROLLBACK", -1, SQLITE_PREPARE_PERSISTENT, &rollback, nullptr) !=
      SQLITE_OK) {
    return database.failed("the token's database");
  }
  database.rollback_.reset(rollback);
  return database;
}

Outcome<void> Database::run(const char* sql) const {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failed("the token's database");
  }
  return {};
}

Fault Database::failed(std::string_view what) const { return failure(handle_.get(), what); }

bool Database::has_moved() const {
  int moved = 1;
  return sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
         moved != 0;
}

void Database::empty_log() const noexcept {
  (void)sqlite3_busy_timeout(handle_.get(), 0);
  (void)sqlite3_wal_checkpoint_v2(handle_.get(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                                  nullptr);
  (void)sqlite3_busy_timeout(handle_.get(), kBusyMilliseconds);
}

void Database::roll_back() const noexcept {
  if (sqlite3_get_autocommit(handle_.get()) != 0) return;
  (void)sqlite3_step(rollback_.get());
  (void)sqlite3_reset(rollback_.get());
}

Outcome<Statement> Statement::prepare(const Database& database, std::string_view sql) {
  Statement statement;
  statement.database_ = database.get();
  statement.place_ = &database.idle_->try_emplace(std::string(sql)).first->second;
  statement.handle_ = std::move(*statement.place_);
  if (statement.handle_) return statement;
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v3(database.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &handle, nullptr) != SQLITE_OK) {
    return database.failed("the token's database");
  }
  statement.handle_.reset(handle);
  return statement;
}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this != &other) {
    give_back();
    database_ = other.database_;
    place_ = other.place_;
    handle_ = std::move(other.handle_);
  }
  return *this;
}

void Statement::give_back() noexcept {
  if (!handle_) return;
  const InSqlite inside;
  reset();
  // A second one of the same text is not kept.
  if (!*place_) *place_ = std::move(handle_);
  handle_.reset();
}

Statement& Statement::bind(int index, std::uint64_t value) {
  (void)sqlite3_bind_int64(handle_.get(), index, static_cast<sqlite3_int64>(value));
  return *this;
}

Statement& Statement::bind(int index, core::ByteView value) {
  if (value.empty()) {
    (void)sqlite3_bind_zeroblob(handle_.get(), index, 0);
  } else {
    (void)sqlite3_bind_blob64(handle_.get(), index, value.data(), value.size(), SQLITE_STATIC);
  }
  return *this;
}

Outcome<bool> Statement::step() {
  switch (sqlite3_step(handle_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default: {
      auto failed = failure(database_, "the token's database");
      (void)sqlite3_reset(handle_.get());
      return failed;
    }
  }
}

Outcome<void> Statement::run() {
  while (true) {
    auto row = step();
    if (!row) return std::move(row).error();
    if (!*row) break;
  }
  reset();
  return {};
}

void Statement::reset() {
  (void)sqlite3_reset(handle_.get());
  (void)sqlite3_clear_bindings(handle_.get());
}

std::uint64_t Statement::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(handle_.get(), column));
}

core::ByteView Statement::blob(int column) const {
  const auto* const data =
      static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_.get(), column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

Outcome<Transaction> Transaction::start(const Database& database, const char* sql) {
  auto begin = Statement::prepare(database, sql);
  if (!begin) return std::move(begin).error();
  if (auto begun = begin->run(); !begun) {
    database.roll_back();
    return std::move(begun).error();
  }
  return Transaction(&database);
}

Outcome<Transaction> Transaction::begin(const Database& database) {
  return start(database, "BEGIN IMMEDIATE");
}

Outcome<Transaction> Transaction::begin_reading(const Database& database) {
  return start(database, "BEGIN");
}

Transaction::~Transaction() {
  if (database_ != nullptr) database_->roll_back();
}

Outcome<void> Transaction::commit() {
  auto commit = Statement::prepare(*database_, "COMMIT");
  if (!commit) return std::move(commit).error();
  auto done = commit->run();
  if (done) database_ = nullptr;
  return done;
}

}  // namespace tallystick::token
