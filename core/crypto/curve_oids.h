// DER of the object identifiers that name curves, as CKA_EC_PARAMS and AlgorithmIdentifier carry
// them (RFC 5480 section 2.1.1.1, RFC 8410 section 3).
#pragma once

#include <array>

#include "core/base/bytes.h"
#include "core/crypto/ec.h"

namespace tallystick::core {

inline constexpr auto kP256Oid =
    std::to_array<std::uint8_t>({0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07});
inline constexpr auto kP384Oid =
    std::to_array<std::uint8_t>({0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22});
inline constexpr auto kP521Oid =
    std::to_array<std::uint8_t>({0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23});
inline constexpr auto kX25519Oid = std::to_array<std::uint8_t>({0x06, 0x03, 0x2b, 0x65, 0x6e});
inline constexpr auto kX448Oid = std::to_array<std::uint8_t>({0x06, 0x03, 0x2b, 0x65, 0x6f});
inline constexpr auto kEd25519Oid = std::to_array<std::uint8_t>({0x06, 0x03, 0x2b, 0x65, 0x70});
inline constexpr auto kEd448Oid = std::to_array<std::uint8_t>({0x06, 0x03, 0x2b, 0x65, 0x71});

constexpr ByteView curve_oid(Curve curve) {
  if (curve == Curve::kP256) return kP256Oid;
  return kP384Oid;
}

}  // namespace tallystick::core
