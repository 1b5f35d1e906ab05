// The layout of an SB3.1 container, NXP's file for a boot loader (docs/formats.md section 10).
// Integers are little-endian.
//
//   file     = block 0 ‖ data block 1 ‖ … ‖ data block n
//   block 0  = header(60) ‖ hash of data block 1 ‖ certificate block ‖ signature
//   data block = u32 number ‖ hash of the next whole block, zeros in the last ‖ 256 bytes,
//   encrypted
//
// The signature covers all of block 0 before it, and each hash a whole block as it stands in the
// file: whoever reads from the front verifies every block before it is used.
//
// Here block 0 carries the certificate block of a Device-HSM file: a signer's public key and the
// share that the file's keys are derived with.
#pragma once

#include "core/base/result.h"
#include "core/crypto/ec.h"

namespace tallystick::core::sb3 {

constexpr std::size_t kHeaderSize = 60;
constexpr std::size_t kDataSize = 256;     // of a data block
constexpr std::size_t kEncShareSize = 48;  // ENC(OEM_SHARE)

// Everything that hangs on the hash: SHA-256 with P-256 and keys of 128 bits, SHA-384 with P-384
// and keys of 256.
struct Variant {
  Curve curve = Curve::kP256;

  [[nodiscard]] Hash hash() const { return hash_for(curve); }
  [[nodiscard]] std::size_t hash_size() const { return core::hash_size(hash()); }
  [[nodiscard]] std::size_t block_size() const { return 4 + hash_size() + kDataSize; }
  [[nodiscard]] std::size_t certificate_offset() const { return kHeaderSize + hash_size(); }
  [[nodiscard]] std::size_t certificate_size() const {
    return 16 + 2 * field_size(curve) + kEncShareSize;
  }
  [[nodiscard]] std::size_t manifest_size() const {
    return certificate_offset() + certificate_size();
  }
  // Of a Device-HSM file: 284 bytes with P-256.
  [[nodiscard]] std::size_t block0_size() const { return manifest_size() + 2 * field_size(curve); }
  [[nodiscard]] unsigned key_bits() const { return curve == Curve::kP256 ? 128 : 256; }
  bool operator==(const Variant&) const = default;
};

struct Header {
  std::uint32_t flags = 0;  // bit 0: a provisioning firmware
  std::uint32_t block_count = 0;
  Variant variant;
  std::uint64_t timestamp = 0;  // seconds since 2000-01-01
  std::uint32_t firmware_version = 0;
  std::uint32_t block0_length = 0;
  std::uint32_t image_type = 6;  // 6: an OEM's, 7: the chip maker's
  ByteArray<16> description{};   // text, zero padded
};

Bytes encode_header(const Header& header);
// Of 60 bytes. kMalformed for another magic, version, block size, image type, certificate offset,
// or a description with anything behind its first zero.
Result<Header> parse_header(ByteView bytes);

// A certificate block of a Device-HSM file.
struct Certificate {
  Bytes signer;  // X ‖ Y
  ByteArray<kEncShareSize> enc_oem_share{};
};
Bytes encode_certificate(const Variant& variant, const Certificate& certificate);
// kMalformed for everything that is not exactly one.
Result<Certificate> parse_certificate(const Variant& variant, ByteView bytes);

// Bytes of a whole file.
std::uint64_t file_size(const Header& header);

}  // namespace tallystick::core::sb3
