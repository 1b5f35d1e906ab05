// What flash-read-resource gives of a part beside its memories: who it is, and the proof of it. The
// options are our own; NXP's parts have other resources under small numbers.
//
//   option     address             data
//   kIdentity  0                   what the part says of itself, unproved: 104 bytes, below
//   kCertificate  0                its device certificate, DER; none: no bytes
//   kProof     of the challenge,   a proof of what it holds (section 9 of docs/formats.md)
//              32 bytes in RAM
//
// The data are as many bytes as there are; a length of kMostResource is enough for each.
#pragma once

#include <optional>
#include <string>

#include "core/base/bytes.h"

namespace tallystick::mboot {

enum class Resource : std::uint32_t {
  kIdentity = 0x54530001,
  kCertificate = 0x54530002,
  kProof = 0x54530003,
};

constexpr std::uint32_t kMostResource = 4096;
constexpr std::uint32_t kChallengeBytes = 32;

// Anyone may say it: what depends on it is worth no more than that.
//
//   0 "TSID"   4 u16 format = 1   6 u8 life cycle   7 u8 flags   8 u32 version of the software that
//   runs, 0: none   12 u32 lowest version that it runs   16 part_id(32)   48 family_id(16)
//   64 u8 family flags   65 zero(7)   72 product(32, UTF-8, zero padded)
//
// Flags: 1 a certificate is there, 2 the family's memory is filled, 4 a package is installed.
// Integers are big-endian, as in all files of the profile.
struct Identity {
  static constexpr std::size_t kSize = 104;
  static constexpr std::uint8_t kCertified = 1;
  static constexpr std::uint8_t kHasFamily = 2;
  static constexpr std::uint8_t kInstalled = 4;

  std::uint8_t life_cycle = 0;  // section 8 of docs/formats.md; 255: damaged
  std::uint8_t flags = 0;
  std::uint32_t software_version = 0;
  std::uint32_t minimum_software_version = 0;
  core::ByteArray<32> part_id{};
  core::ByteArray<16> family_id{};
  std::uint8_t family_flags = 0;
  std::string product;  // at most 32 bytes; empty: none

  bool operator==(const Identity&) const = default;
};

core::Bytes encode_identity(const Identity& identity);
// Nothing for bytes that are not exactly an identity.
std::optional<Identity> decode_identity(core::ByteView bytes);

}  // namespace tallystick::mboot
