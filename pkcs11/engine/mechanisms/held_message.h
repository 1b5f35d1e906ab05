// A message in parts, held until it is whole: for signatures that libcrypto makes of a whole
// message only, because they read it twice.
#pragma once

#include "core/base/bytes.h"
#include "pkcs11/engine/fault.h"

namespace tallystick::token {

class HeldMessage {
 public:
  Outcome<void> add(core::ByteView data) {
    if (data.size() > kLargest - bytes_.size()) {
      return fault(CKR_DATA_LEN_RANGE, "a message in parts that is too long");
    }
    bytes_.insert(bytes_.end(), data.begin(), data.end());
    return {};
  }
  [[nodiscard]] core::ByteView view() const { return bytes_; }

 private:
  static constexpr std::size_t kLargest = 64UL << 20;
  core::Bytes bytes_;
};

}  // namespace tallystick::token
