// What goes on between C_...Init and its end. An operation holds its own copy of everything it
// needs; the session locks around it, so that it serves one thread at a time. Parts that an
// operation does not offer answer with the defaults.
#pragma once

#include <cstring>
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
  // The same state once more; any number of threads may ask at a time.
  [[nodiscard]] virtual Outcome<std::unique_ptr<DigestOperation>> copy() const {
    return fault(CKR_STATE_UNSAVEABLE, "the mechanism's state is not saved");
  }
};

// The parameter of one call in the caller's memory, which some mechanisms also write to: an
// initialisation vector that was made here, a tag.
struct CallParameter {
  void* memory = nullptr;
  CK_ULONG size = 0;

  [[nodiscard]] Outcome<void> none() const {
    if (size != 0) return bad_parameter("the mechanism takes no parameter for a message");
    return {};
  }
  // A copy of the block as a C structure of exactly its size; it is read once (A65).
  template <typename T>
  [[nodiscard]] Outcome<T> as() const {
    if (memory == nullptr || size != sizeof(T)) {
      return bad_parameter("not the size of the parameter");
    }
    T out;
    std::memcpy(&out, memory, sizeof out);
    return out;
  }
};

// Encryption or decryption of many messages under one key, each with its own parameter and
// associated data. Nothing that decryption gives comes out before the message's tag was checked
// (A35). After a call that failed the next message begins anew.
class MessageOperation {
 public:
  MessageOperation() = default;
  MessageOperation(const MessageOperation&) = delete;
  MessageOperation& operator=(const MessageOperation&) = delete;
  virtual ~MessageOperation() = default;

  // A message in one piece. `out` has at least once_size(in.size()) bytes.
  [[nodiscard]] virtual Outcome<std::size_t> once_size(std::size_t in) const = 0;
  virtual Outcome<std::size_t> once(const CallParameter& parameter, core::ByteView aad,
                                    core::ByteView in, core::MutableByteView out) = 0;

  // A message in parts, of which the last is marked.
  virtual Outcome<void> begin(const CallParameter& parameter, core::ByteView aad) = 0;
  [[nodiscard]] virtual Outcome<std::size_t> next_size(std::size_t in, bool last) const = 0;
  virtual Outcome<std::size_t> next(const CallParameter& parameter, core::ByteView in, bool last,
                                    core::MutableByteView out) = 0;

  // As of CipherOperation.
  [[nodiscard]] virtual bool in_place() const { return false; }
};

}  // namespace tallystick::token
