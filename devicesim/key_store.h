// The key store: assets of kinds 16 and 17 go in and never come out. Nothing reads it but the proof
// (prover.h), which gives out a MAC of what it finds. It exists twice, like the flash.
#pragma once

#include "devicesim/flash.h"

namespace tallystick::device {

constexpr std::uint64_t kKeyRoom = 16384;  // bytes for one key
constexpr std::uint64_t kKeyStoreSize = core::kMostAssets * kKeyRoom;

// Where an asset's bytes stand in a bank: the flash first, the key store behind it.
struct Place {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

constexpr std::uint64_t bank_size(const MemoryMap& map) { return map.flash_size + kKeyStoreSize; }

// Fits the memory map: in the flash, or for keys in one room of the key store.
bool asset_fits(const MemoryMap& map, const core::PackageEntry& entry);
// The place of the package's asset number `index`; asset_fits() was asked before.
Place asset_place(const MemoryMap& map, const core::PackageEntry& entry, std::size_t index);

}  // namespace tallystick::device
