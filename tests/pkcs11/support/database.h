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

}  // namespace tallystick::test
