// KeyProvisioning: the key store that a host fills over the line, volatile until it is written to
// the part, and the blobs of generate-key-blob. Keys go in; what comes out is sealed for this very
// part.
#pragma once

#include <optional>

#include "devicesim/line/transfer.h"
#include "devicesim/nxp/provisioned_keys.h"

namespace tallystick::device {

class KeyProvisioning {
 public:
  // The most bytes that the host sends in one data phase.
  static constexpr std::size_t kMostData = 4096;
  static constexpr std::uint32_t kKeySelections = 4;  // of generate-key-blob: OTPMK twice, ZMK, CMK

  // key-provisioning 0, 2, 3 and 4.
  core::Status enroll(const Part& part);
  core::Status make_key(const Part& part, std::uint32_t type, std::uint32_t size);
  core::Status write(Part& part) const;
  core::Status read(const Part& part);
  // 1 and 5: what is done with the data once it is there.
  core::Result<TransferPtr> set_user_key(const Part& part, std::uint32_t type);
  core::Result<TransferPtr> take_sealed(const Part& part);
  // 6.
  [[nodiscard]] core::Result<core::Bytes> give_sealed(const Part& part) const;

  // generate-key-blob, both phases: a key of 16, 24 or 32 bytes, and its blob, 56 bytes longer.
  core::Result<TransferPtr> take_data_key(const Part& part, std::uint32_t selection);
  [[nodiscard]] core::Result<core::Bytes> give_key_blob(const Part& part,
                                                        std::uint32_t selection) const;

  void clear();

 private:
  class Receiving;

  std::optional<ProvisionedKeys> keys_;
  core::Secret data_key_;
  std::uint32_t data_key_selection_ = 0;
};

// The key inside a blob of give_key_blob(); kOpenFailed for anything else, and on another part.
core::Result<core::Secret> open_key_blob(const Part& part, core::ByteView blob);

}  // namespace tallystick::device
