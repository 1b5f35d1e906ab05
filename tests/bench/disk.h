// How fast SQLite commits one small row on a disk, durably: what a token's new object costs at
// least.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>

#include "core/crypto/handles.h"

namespace tallystick::bench {

class CommitLoop {
 public:
  explicit CommitLoop(const std::string& path);
  void commit_row();

 private:
  std::unique_ptr<sqlite3, core::HandleDeleter<sqlite3_close>> database_;
  std::unique_ptr<sqlite3_stmt, core::HandleDeleter<sqlite3_finalize>> insert_;
  sqlite3_int64 next_ = 1;
};

}  // namespace tallystick::bench
