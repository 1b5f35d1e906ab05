// What goes on between C_...Init and its end. An operation holds its own copy of everything it
// needs; the session locks around it, so that it serves one thread at a time. Parts that an
// operation does not offer answer with the defaults.
#pragma once

#include <memory>

#include "core/base/bytes.h"
#include "pkcs11/engine/fault.h"

namespace tallystick::token {

// Encryption or decryption. Sizes are upper bounds that never shrink between the question and the
// call; the calls write no more than they announced and return what they wrote.
class CipherOperation {
 public:
  CipherOperation() = default;
  CipherOperation(const CipherOperation&) = delete;
  CipherOperation& operator=(const CipherOperation&) = delete;
  virtual ~CipherOperation() = default;

  // In one piece. `out` has at least once_size(in.size()) bytes.
  [[nodiscard]] virtual Outcome<std::size_t> once_size(std::size_t in) const = 0;
  virtual Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) = 0;

  // In parts. Decryption gives nothing before its tag was checked (A35).
  [[nodiscard]] virtual Outcome<std::size_t> update_size(std::size_t) const {
    return not_supported("the mechanism works in one piece only");
  }
  virtual Outcome<std::size_t> update(core::ByteView, core::MutableByteView) {
    return not_supported("the mechanism works in one piece only");
  }
  [[nodiscard]] virtual Outcome<std::size_t> finish_size() const {
    return not_supported("the mechanism works in one piece only");
  }
  virtual Outcome<std::size_t> finish(core::MutableByteView) {
    return not_supported("the mechanism works in one piece only");
  }

  // True when `in` and `out` may be the same memory. Input that overlaps the output in any other
  // way is copied before it comes here.
  [[nodiscard]] virtual bool in_place() const { return false; }
};

class SignOperation {
 public:
  SignOperation() = default;
  SignOperation(const SignOperation&) = delete;
  SignOperation& operator=(const SignOperation&) = delete;
  virtual ~SignOperation() = default;

  // The exact length of what comes out.
  [[nodiscard]] virtual std::size_t size() const = 0;
  virtual Outcome<void> once(core::ByteView data, core::MutableByteView signature) {
    if (auto fed = update(data); !fed) return fed;
    return finish(signature);
  }
  virtual Outcome<void> update(core::ByteView) {
    return not_supported("the mechanism works in one piece only");
  }
  virtual Outcome<void> finish(core::MutableByteView) {
    return not_supported("the mechanism works in one piece only");
  }
};

// CKR_SIGNATURE_LEN_RANGE or CKR_SIGNATURE_INVALID for what does not verify.
class VerifyOperation {
 public:
  VerifyOperation() = default;
  VerifyOperation(const VerifyOperation&) = delete;
  VerifyOperation& operator=(const VerifyOperation&) = delete;
  virtual ~VerifyOperation() = default;

  virtual Outcome<void> once(core::ByteView data, core::ByteView signature) {
    if (auto fed = update(data); !fed) return fed;
    return finish(signature);
  }
  virtual Outcome<void> update(core::ByteView) {
    return not_supported("the mechanism works in one piece only");
  }
  virtual Outcome<void> finish(core::ByteView) {
    return not_supported("the mechanism works in one piece only");
  }
};

class DigestOperation {
 public:
  DigestOperation() = default;
  DigestOperation(const DigestOperation&) = delete;
  DigestOperation& operator=(const DigestOperation&) = delete;
  virtual ~DigestOperation() = default;

  [[nodiscard]] virtual std::size_t size() const = 0;
  Outcome<void> once(core::ByteView data, core::MutableByteView digest) {
    if (auto fed = update(data); !fed) return fed;
    return finish(digest);
  }
  virtual Outcome<void> update(core::ByteView data) = 0;
  virtual Outcome<void> finish(core::MutableByteView digest) = 0;
};

}  // namespace tallystick::token
