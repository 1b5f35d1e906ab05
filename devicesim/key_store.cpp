#include "devicesim/key_store.h"

namespace tallystick::device {

bool asset_fits(const MemoryMap& map, const core::PackageEntry& entry) {
  if (entry.is_key()) return entry.plaintext_length <= kKeyRoom;
  return in_flash(map, entry.address, entry.plaintext_length);
}

Place asset_place(const MemoryMap& map, const core::PackageEntry& entry, std::size_t index) {
  if (entry.is_key()) return {map.flash_size + index * kKeyRoom, entry.plaintext_length};
  return {entry.address - map.flash_base, entry.plaintext_length};
}

}  // namespace tallystick::device
