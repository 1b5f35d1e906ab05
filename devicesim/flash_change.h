// FlashChange: writing and erasing the flash of a part that holds no package yet. What it does is
// staged in the inactive bank, which nothing can read; finish() puts all of it in force at once. An
// error, a reset, or dropping the object leaves the flash as it was.
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace tallystick::device {

class Part;
struct PartState;

class FlashChange {
 public:
  FlashChange(const FlashChange&) = delete;
  FlashChange& operator=(const FlashChange&) = delete;
  ~FlashChange();

  // kInvalidArgument when the range is not in the flash.
  core::Status write(std::uint64_t address, core::ByteView data);
  // Zeros.
  core::Status erase(std::uint64_t address, std::uint64_t length);
  core::Status finish();

 private:
  friend class Part;
  friend class Sb3Installer;
  // What else changes in the same commit.
  core::Status finish(PartState next);
  explicit FlashChange(Part& part);
  // The part is reset or goes away, or the change is over.
  void detach();
  [[nodiscard]] core::Status check_range(std::uint64_t address, std::uint64_t length) const;

  Part* part_;  // null once detached
};

}  // namespace tallystick::device
