// Looks at and alters a token's database behind the module's back, through SQLite itself.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace tallystick::test {

class Database {
 public:
  explicit Database(const std::string& path);

  void run(const std::string& sql) const;
  [[nodiscard]] long long number(const std::string& sql) const;
  // The first column of each row.
  [[nodiscard]] std::vector<core::Bytes> blobs(const std::string& sql) const;
  // One ?1 parameter.
  void run_with(const std::string& sql, core::ByteView blob) const;
  void run_with(const std::string& sql, core::ByteView first, core::ByteView second) const;

 private:
  struct Closer {
    void operator()(sqlite3* database) const { (void)sqlite3_close(database); }
  };
  std::unique_ptr<sqlite3, Closer> database_;
};

// What the token's record says of its root key, for one of the purposes that there are or were.
core::Bytes root_check(const std::string& database_path, std::string_view purpose);

// A database file in the place of the one that is there, which nobody has open.
void put_back(const std::string& path, core::ByteView file);

}  // namespace tallystick::test
