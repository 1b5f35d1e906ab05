// Application images "TSAP" (section 11 of docs/formats.md): firmware that a part's boot ROM starts
// from one of two slots, signed by the part's owner. This file is the layout, the OEM's side, and
// the ROM's checks of a head; the payload is digested where it lies.
//
//   file = header(128) ‖ signature(96) ‖ payload
#pragma once

#include <string>

#include "core/crypto/ec.h"
#include "core/ts1/text.h"

namespace tallystick::core {

constexpr std::string_view kApplicationMagic = "TSAP";
constexpr std::size_t kApplicationHeaderSize = 128;
constexpr std::size_t kApplicationSignatureSize = 96;
constexpr std::size_t kApplicationPrefix = kApplicationHeaderSize + kApplicationSignatureSize;

struct ApplicationHeader {
  std::uint32_t version = 0;
  // Once this application was confirmed, the part starts none of a version below. At most
  // `version`.
  std::uint32_t floor = 0;
  std::uint64_t payload_length = 0;  // 1 to 2^40 − 1
  ByteArray<48> payload_digest{};    // SHA-384
  std::string name;                  // UTF-8, up to 32 bytes
};

// The 128 bytes to be signed with ECDSA P-384 / SHA-384 by the OEM's signing key. kInvalidArgument
// for what check 3 would refuse.
Result<Bytes> application_header(const ApplicationHeader& header);

// Checks 1 to 3 of section 11 on the first 224 bytes of an image of `length` bytes: form, the
// owner's signature over the raw header, and only then the header's fields. `oem_public_key` is
// X ‖ Y, 96 bytes. Error::check is the number; the payload's digest is check 5.
Result<ApplicationHeader> check_application_head(const Crypto& crypto, ByteView head,
                                                 std::uint64_t length, ByteView oem_public_key);

}  // namespace tallystick::core
