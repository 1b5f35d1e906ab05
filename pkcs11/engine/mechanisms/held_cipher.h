// A cipher that takes its input in one piece only, in parts too: what comes is held until the end.
#pragma once

#include "pkcs11/engine/mechanisms/cipher_context.h"
#include "pkcs11/engine/mechanisms/held_data.h"

namespace tallystick::token {

class HeldCipher : public CipherOperation {
 public:
  Outcome<std::size_t> update_size(std::size_t in) const final {
    if (!held_.has_room_for(in)) return wrong_length(encrypting_, "more than there may be");
    return std::size_t{0};
  }
  Outcome<std::size_t> update(core::ByteView in, core::MutableByteView) final {
    held_.add(in);
    return std::size_t{0};
  }
  Outcome<std::size_t> finish_size() const final { return once_size(held_.size()); }
  Outcome<std::size_t> finish(core::MutableByteView out) override { return once(held(), out); }
  bool in_place() const final { return true; }

 protected:
  // Holds at most `limit` bytes.
  HeldCipher(bool encrypting, std::size_t limit) : encrypting_(encrypting), held_(limit) {}
  [[nodiscard]] core::MutableByteView held() { return held_.span(); }

 private:
  bool encrypting_;
  HeldData held_;
};

}  // namespace tallystick::token
