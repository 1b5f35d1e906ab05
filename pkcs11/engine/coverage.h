// Coverage: which searches need no look into the store, because every row that could match them
// stands in the index. Rows are read when somebody searches for them, so a start takes no longer
// with many objects than with few.
#pragma once

#include <array>
#include <set>
#include <string>
#include <unordered_set>

#include "pkcs11/engine/lock.h"
#include "pkcs11/engine/object_index.h"
#include "pkcs11/engine/row.h"

namespace tallystick::token {

// The part of a search that the store can answer.
struct StoreQuery {
  enum class By : std::uint8_t { kTag, kClass, kAll };
  By by = By::kAll;
  // kTag: which tag, and the attribute's value.
  std::size_t tag = 0;
  core::Bytes value;
  // kClass
  CK_OBJECT_CLASS object_class = 0;

  // The narrowest that finds everything that matches the pattern.
  static StoreQuery narrowest(std::span<const ObjectIndex::Pattern> pattern);
};

class Coverage {
 public:
  // What is covered counts for one login; the next begins with nothing.
  void begin(std::uint64_t login_epoch);
  [[nodiscard]] bool covers(std::span<const ObjectIndex::Pattern> pattern) const;
  // The rows of a query stand in the index, private ones as far as this login sees them.
  void add(const StoreQuery& query, std::uint64_t login_epoch);
  // True when so many single values were asked for that reading everything is better.
  [[nodiscard]] bool full() const;

 private:
  static constexpr std::size_t kMostValues = 4096;

  mutable SharedMutex mutex_;
  std::uint64_t epoch_ TS_GUARDED_BY(mutex_) = 0;
  bool all_ TS_GUARDED_BY(mutex_) = false;
  std::set<CK_OBJECT_CLASS> classes_ TS_GUARDED_BY(mutex_);
  std::array<std::unordered_set<std::string>, kTagCount> values_ TS_GUARDED_BY(mutex_);
};

}  // namespace tallystick::token
