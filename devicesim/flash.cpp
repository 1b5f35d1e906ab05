#include "devicesim/flash.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;

core::Status check_memory_map(const MemoryMap& map) {
  if (map.flash_size < kLeastFlash || map.flash_size > kMostFlash) {
    return Error{ErrorCode::kInvalidArgument, "the flash has 4 KiB to 1 TiB"};
  }
  // The last byte's address must exist.
  if (map.flash_base > UINT64_MAX - (map.flash_size - 1)) {
    return Error{ErrorCode::kInvalidArgument, "the flash runs past the end of the address space"};
  }
  return {};
}

bool in_flash(const MemoryMap& map, std::uint64_t address, std::uint64_t length) {
  if (address < map.flash_base) return false;
  const auto offset = address - map.flash_base;
  return offset <= map.flash_size && length <= map.flash_size - offset;
}

core::Status check_readable(const MemoryMap& map, const core::PackageHead* installed,
                            std::uint64_t address, std::uint64_t length) {
  if (!in_flash(map, address, length)) {
    return Error{ErrorCode::kInvalidArgument, "the range is not in the flash"};
  }
  if (installed != nullptr) {
    for (const auto& entry : installed->entries) {
      if (entry.is_key() || address < entry.address) continue;
      const auto offset = address - entry.address;
      if (offset > entry.plaintext_length || length > entry.plaintext_length - offset) continue;
      if ((entry.flags & core::kAssetWriteOnly) != 0) {
        if (entry.plaintext_length == 0) continue;
        return Error{ErrorCode::kNotPermitted, "the asset there is write-only"};
      }
      return {};
    }
  }
  return Error{ErrorCode::kNotPermitted, "the range is not within one installed asset"};
}

}  // namespace tallystick::device
