// What a disk holds after the power has gone: a folder as it was at first, the storage calls that
// were recorded since, and a place in the record. What was synced before that place is there, names
// as well as contents; what was not may be there or not, in sectors of 512 bytes.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/faults/support/storage_tap.h"

namespace tallystick::test {

// What becomes of what was not synced.
enum class Loss : std::uint8_t {
  kAll,        // nothing of it is there
  kNothing,    // all of it is there: what a kill of the process leaves
  kSome,       // a random half of the sectors; of each folder's new names the first few
  kTornLast,   // all of it but half of the latest write
  kButLatest,  // nothing but the latest write, which overtook the others
};
inline constexpr Loss kLosses[] = {Loss::kAll, Loss::kNothing, Loss::kSome, Loss::kTornLast,
                                   Loss::kButLatest};
const char* name_of(Loss loss);

// A folder's files and subfolders in memory.
class Disk {
 public:
  explicit Disk(const std::string& folder);
  // Puts what a power cut after the first `count` events leaves of them into `to`, a new folder.
  void put(const std::vector<StorageEvent>& events, std::size_t count, Loss loss,
           std::uint32_t seed, const std::string& to) const;

 private:
  std::string folder_;
  std::vector<std::string> directories_;
  std::map<std::string, core::Bytes> files_;
};

}  // namespace tallystick::test
