// Memory for secrets: pages that are locked (as far as RLIMIT_MEMLOCK allows), kept out of core
// dumps, and handed out in small blocks, because a page for each 32-byte key would use up the limit
// after two thousand keys.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tallystick::core::internal {

// A zeroed block of at least `size` bytes, or nullptr when the system has no memory. Thread-safe.
std::uint8_t* locked_allocate(std::size_t size);

// Wipes the block and gives it back; `size` as it was asked for.
void locked_release(std::uint8_t* block, std::size_t size) noexcept;

}  // namespace tallystick::core::internal
