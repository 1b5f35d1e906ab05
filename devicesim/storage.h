// Storage: the memory that outlives a power cut, as a part sees it. A part lives in one file
// (file_storage.h); tests give it a memory that fails or goes dark at any call.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace tallystick::device {

class Storage {
 public:
  virtual ~Storage() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // All of `out`, from `offset`; kStorage when it is not there.
  virtual core::Status read(std::uint64_t offset, core::MutableByteView out) = 0;
  // A write may be lost, cut or put out of order by a power cut until sync() has returned.
  virtual core::Status write(std::uint64_t offset, core::ByteView data) = 0;
  virtual core::Status sync() = 0;

  // The first offset in [from, end) that may hold anything but zeros; `end` when there is none.
  virtual core::Result<std::uint64_t> next_data(std::uint64_t from, std::uint64_t end) = 0;
  // Gives the room of bytes that are zero back to the system, where it can.
  virtual void release(std::uint64_t offset, std::uint64_t length) = 0;
};

}  // namespace tallystick::device
