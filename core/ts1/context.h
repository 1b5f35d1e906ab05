// CTX: the 72 bytes that name a share set, and that every derivation is bound to (section 2 of
// docs/formats.md).
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace tallystick::core {

using FamilyId = ByteArray<16>;
using OemId = ByteArray<32>;     // SHA-256(X ‖ Y) of the OEM's P-384 signing key
using ShareId = ByteArray<16>;   // names one share set in public
using DeviceId = ByteArray<32>;  // SHA-256(X ‖ Y) of a part's or token's P-256 device key
using JobId = ByteArray<16>;

// How assets and shares are sealed.
enum class Suite : std::uint8_t {
  kGcm = 1,  // AES-256-GCM
  kCcm = 2,  // AES-256-CCM
};
// kMalformed for any other number.
Result<Suite> suite_from(std::uint8_t number);

struct Context {
  static constexpr std::size_t kSize = 72;

  FamilyId family_id{};
  OemId oem_id{};
  ShareId share_id{};
  // The lowest version of the provisioning software that may use the shares.
  std::uint32_t sw_floor = 0;

  [[nodiscard]] ByteArray<kSize> encode() const;
  bool operator==(const Context&) const = default;
};

}  // namespace tallystick::core
