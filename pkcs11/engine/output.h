// Output: a caller's buffer and length pointer under the two-call convention (PKCS#11 section 5.2):
// a null buffer asks for the length, a short one gives CKR_BUFFER_TOO_SMALL and the length needed.
#pragma once

#include "core/base/bytes.h"
#include "pkcs11/engine/fault.h"

namespace tallystick::token {

class Output {
 public:
  // `length` is not null; the C face has checked.
  Output(CK_BYTE_PTR data, CK_ULONG_PTR length) : data_(data), length_(length), room_(*length) {}

  [[nodiscard]] bool asks_length() const { return data_ == nullptr; }
  [[nodiscard]] core::MutableByteView room() const { return {data_, data_ ? room_ : 0}; }

  // True: `needed` bytes may be written. False: the caller asked for the length only and has it.
  Outcome<bool> reserve(std::size_t needed) {
    *length_ = needed;
    if (data_ == nullptr) return false;
    if (room_ < needed) return fault(CKR_BUFFER_TOO_SMALL, "the output buffer is too small");
    return true;
  }
  [[nodiscard]] core::MutableByteView first(std::size_t size) const { return {data_, size}; }
  void wrote(std::size_t size) { *length_ = size; }

 private:
  CK_BYTE_PTR data_;
  CK_ULONG_PTR length_;
  std::size_t room_;
};

}  // namespace tallystick::token
