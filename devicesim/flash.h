// The memory map of a part's flash. Flash exists twice: the active bank holds the installed
// package, the inactive one takes what is being installed and can be read by nothing (every slot of
// a package so has two places, and one commit changes all of them over).
#pragma once

#include "core/ts1/package.h"

namespace tallystick::device {

struct MemoryMap {
  std::uint64_t flash_base = 0;                    // address of the first byte
  std::uint64_t flash_size = 16ULL * 1024 * 1024;  // of one bank
};

constexpr std::uint64_t kFlashSector = 4096;  // what is erased at once
constexpr std::uint64_t kLeastFlash = 4096;
constexpr std::uint64_t kMostFlash = 1ULL << 40U;

// kInvalidArgument for a size out of range or a map that runs past 2^64.
core::Status check_memory_map(const MemoryMap& map);

// [address, address + length) lies in the flash; an empty range may stand at its end.
bool in_flash(const MemoryMap& map, std::uint64_t address, std::uint64_t length);

// The bytes of [address, address + length) belong to one installed asset that may be read: not a
// key, not write-only. kInvalidArgument or kNotPermitted say what is in the way.
core::Status check_readable(const MemoryMap& map, const core::PackageHead* installed,
                            std::uint64_t address, std::uint64_t length);

}  // namespace tallystick::device
