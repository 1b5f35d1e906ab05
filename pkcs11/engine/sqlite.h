// Owners for SQLite's handles, and a database opened so that a hostile file can do no more than
// fail (A73): no trusted schema, defensive, no links, bound parameters only.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "core/base/bytes.h"
#include "pkcs11/engine/fault.h"
#include "pkcs11/engine/sqlite_fork.h"

namespace tallystick::token {

struct FinalizeStatement {
  void operator()(sqlite3_stmt* handle) const {
    const InSqlite inside;
    (void)sqlite3_finalize(handle);
  }
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

class Database {
 public:
  static Outcome<Database> open(const std::string& path);

  [[nodiscard]] sqlite3* get() const { return handle_.get(); }
  // One statement without parameters or results, as a literal.
  Outcome<void> run(const char* sql) const;
  [[nodiscard]] Fault failed(std::string_view what) const;
  // Whether the path it was opened by now leads to another file, or to none.
  [[nodiscard]] bool has_moved() const;
  // Moves what it can of the write-ahead log into the database, waiting for nobody, and empties the
  // log when all was moved and nobody reads it. What fails is left for another time.
  void empty_log() const noexcept;
  // Ends a transaction if one is open. Needs no memory and never fails: it was prepared before.
  void roll_back() const noexcept;

 private:
  struct Close {
    void operator()(sqlite3* handle) const {
      const InSqlite inside;
      forget_connection(handle);
      (void)sqlite3_close_v2(handle);
    }
  };
  explicit Database(sqlite3* handle) : handle_(handle), idle_(std::make_unique<Idle>()) {}

  friend class Statement;
  // Statements that nobody uses just now, by their text: preparing one costs more than most runs.
  // The texts are few and fixed. Under the connection's lock like all else.
  using Idle = std::unordered_map<std::string, StatementHandle>;
  std::unique_ptr<sqlite3, Close> handle_;
  std::unique_ptr<Idle> idle_;
  StatementHandle rollback_;
};

// A prepared statement; bind, step until no row is left, reset. Goes back to its connection, ready
// for the next user, when it is done with; it must not outlive the connection.
class Statement {
 public:
  Statement() = default;
  static Outcome<Statement> prepare(const Database& database, std::string_view sql);
  Statement(Statement&&) noexcept = default;
  Statement& operator=(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { give_back(); }

  Statement& bind(int index, std::uint64_t value);
  // A null view binds an empty blob, never NULL. The bytes must live until the statement is reset.
  Statement& bind(int index, core::ByteView value);

  // True while there is a row.
  Outcome<bool> step();
  // Runs to the end and resets.
  Outcome<void> run();
  void reset();

  [[nodiscard]] std::uint64_t number(int column) const;
  [[nodiscard]] core::ByteView blob(int column) const;

 private:
  void give_back() noexcept;

  sqlite3* database_ = nullptr;
  StatementHandle* place_ = nullptr;  // where it goes back to
  StatementHandle handle_;
};

// BEGIN IMMEDIATE … COMMIT; rolls back unless committed. A reading one sees one state of the
// database and is not committed.
class Transaction {
 public:
  static Outcome<Transaction> begin(const Database& database);
  static Outcome<Transaction> begin_reading(const Database& database);
  Transaction(Transaction&& other) noexcept : database_(other.database_) {
    other.database_ = nullptr;
  }
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  Outcome<void> commit();

 private:
  static Outcome<Transaction> start(const Database& database, const char* sql);
  explicit Transaction(const Database* database) : database_(database) {}
  const Database* database_;
};

}  // namespace tallystick::token
