// Properties of our own, which NXP's parts do not have: their numbers begin with "TS". What is more
// than a word of state, starting an application for one, is done by writing one of them.
#pragma once

#include <cstdint>

namespace tallystick::device {

enum class VendorProperty : std::uint32_t {
  kBoot = 0x54530001,
  kLockRehearsal = 0x54530002,
  kDebug = 0x54530003,
  kKeyUse = 0x54530004,
};

// Values that kBoot and kDebug are written with.
constexpr std::uint32_t kBootStart = 1;
constexpr std::uint32_t kBootConfirm = 2;
constexpr std::uint32_t kDebugChallenge = 1;

// Bits of kBoot's first word.
constexpr std::uint32_t kBootFound = 1;
constexpr std::uint32_t kBootRuns = 2;
// Bits of kLockRehearsal's second word.
constexpr std::uint32_t kLockIspOpen = 1;
constexpr std::uint32_t kLockStarts = 2;
constexpr std::uint32_t kLockDebug = 4;
constexpr std::uint32_t kLockCertified = 8;

// What kKeyUse finds at the address in RAM that it is written with: twelve words, of which the part
// writes the last.
struct KeyUseWords {
  static constexpr std::size_t kOperation = 0;
  static constexpr std::size_t kSlot = 1;
  static constexpr std::size_t kPath = 2;
  static constexpr std::size_t kInput = 3;   // address, then length, in RAM
  static constexpr std::size_t kAside = 5;   // the same
  static constexpr std::size_t kBy = 7;      // the same
  static constexpr std::size_t kOutput = 9;  // address, then room
  static constexpr std::size_t kOutputLength = 11;
  static constexpr std::size_t kCount = 12;
};

}  // namespace tallystick::device
