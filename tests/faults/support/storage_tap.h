// The storage calls of this process, for files in one folder: counted, recorded, and made to fail
// or to be the last thing the process does. This program's own write(), fsync() and the rest stand
// before the C library's, so that SQLite and every other library in the process come through here,
// and nothing that is tested needs to know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace tallystick::test {

enum class StorageCall : std::uint8_t {
  kCreate,
  kWrite,
  kTruncate,
  kAllocate,
  kSync,
  kUnlink,
  kRename,
  kMakeDirectory,
  kRemoveDirectory,
  kRead,
  kMark,  // not a call: something that the test wants to find in the record
};

// Which calls a plan counts.
enum class Counted : std::uint8_t {
  kChanges,  // all but reads
  kGrowth,   // those that a full disk refuses
  kReads,
};

struct StoragePlan {
  enum class What : std::uint8_t { kNothing, kKill, kFail, kShortWrite };
  What what = What::kNothing;
  Counted counted = Counted::kChanges;
  std::uint64_t at = 0;  // the first is 0
  bool lasting = false;  // every later one as well
  int error = 0;
};

struct StorageEvent {
  StorageCall call = StorageCall::kMark;
  std::string path;  // of a mark: its name
  std::string to;    // kRename
  std::uint64_t offset = 0;
  core::Bytes data;  // kWrite
  std::uint64_t size = 0;
};

// One at a time, and one thread.
class StorageTap {
 public:
  // The folder in which calls count, without links in its path. Nothing is counted before arm().
  static void watch(const std::string& folder);
  static void arm(const StoragePlan& plan);
  // How many calls were counted since arm().
  static std::uint64_t disarm();
  // Whether the plan's call came.
  static bool struck();

  static void start_recording();
  static void mark(const std::string& name);
  static std::vector<StorageEvent> stop_recording();
};

}  // namespace tallystick::test
