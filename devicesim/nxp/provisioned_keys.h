// ProvisionedKeys: the key store that key-provisioning fills, as parts with a PUF have one. An
// enrolment begins a new, empty one; keys go in by type, from the host or made inside. No key comes
// out: the host may keep the whole of it sealed for the one part that made it.
#pragma once

#include <map>

#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/crypto/crypto.h"

namespace tallystick::device {

class ProvisionedKeys {
 public:
  static constexpr std::size_t kMostKeys = 16;
  static constexpr std::size_t kLeastKey = 16;
  static constexpr std::size_t kMostKey = 64;

  static core::Result<ProvisionedKeys> enroll(const core::Crypto& crypto);
  // kMalformed when the bytes are not exactly what encode() gives.
  static core::Result<ProvisionedKeys> decode(core::ByteView bytes);
  [[nodiscard]] core::WipedBytes encode() const;

  // A key of `type` takes the place of one that is there. kInvalidArgument for a type that no part
  // has, a size out of range or no multiple of 8 bytes.
  core::Status set(std::uint32_t type, core::ByteView key);
  core::Status make(const core::Crypto& crypto, std::uint32_t type, std::size_t size);

  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  // Empty: there is none.
  [[nodiscard]] core::ByteView key(std::uint32_t type) const;

 private:
  core::ByteArray<16> activation_{};
  std::map<std::uint32_t, core::Secret> keys_;
};

}  // namespace tallystick::device
