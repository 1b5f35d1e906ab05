// What every C_* function does: take the module, run one engine function, turn what it says into a
// CK_RV and log it once. libcrypto works in the module's own context; the application's error queue
// is as it was afterwards.
#pragma once

#include <openssl/err.h>

#include <new>

#include "pkcs11/cryptoki/instance.h"
#include "pkcs11/engine/log.h"

namespace tallystick::cryptoki {

using core::ByteView;
using core::MutableByteView;
using token::bad_arguments;
using token::Fault;
using token::Module;
using token::Outcome;
using token::Output;
using token::Session;
using token::Template;

class ErrorMark {
 public:
  ErrorMark() { (void)ERR_set_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
  ~ErrorMark() { (void)ERR_pop_to_mark(); }
};

inline CK_RV answer(const Module& module, const char* name, const Fault& fault) {
  module.log().failure(name, fault);
  return fault.rv;
}

// Runs `body(Module&)`, which gives an Outcome<void>.
template <typename Body>
CK_RV enter(const char* name, Body body) noexcept {
  try {
    const auto module = current();
    if (!module) return CKR_CRYPTOKI_NOT_INITIALIZED;
    const ErrorMark mark;
    Outcome<void> done = body(*module);
    return done ? CKR_OK : answer(*module, name, done.error());
  } catch (const std::bad_alloc&) {
    return CKR_HOST_MEMORY;
  } catch (...) {
    return CKR_GENERAL_ERROR;
  }
}

// Runs `body(Session&)`.
template <typename Body>
CK_RV enter_session(const char* name, CK_SESSION_HANDLE handle, Body body) noexcept {
  return enter(name, [&](Module& module) -> Outcome<void> {
    auto session = module.session(handle);
    if (!session) return std::move(session).error();
    return body(**session);
  });
}

// A caller's bytes; null only when there are none.
inline Outcome<ByteView> bytes_in(const void* data, CK_ULONG size) {
  if (data == nullptr && size != 0) return bad_arguments("a length without a pointer");
  // No process has that much; a length near 2^64 is a mistake in the caller's arithmetic (A60).
  constexpr CK_ULONG kMost = 1UL << 46;
  if (size > kMost) return bad_arguments("a length beyond all memory");
  return ByteView(static_cast<const std::uint8_t*>(data), size);
}

// Runs `body(ByteView)` with the caller's bytes.
template <typename Body>
Outcome<void> with_bytes(const void* data, CK_ULONG size, Body body) {
  auto bytes = bytes_in(data, size);
  if (!bytes) return std::move(bytes).error();
  return body(*bytes);
}

// Runs `body(Output)` with the caller's buffer.
template <typename Body>
Outcome<void> with_output(CK_BYTE_PTR data, CK_ULONG_PTR size, Body body) {
  if (size == nullptr) return bad_arguments("the length pointer is null");
  return body(Output(data, size));
}

// Runs `body(Template&)` with a copy of the caller's template.
template <typename Body>
Outcome<void> with_template(CK_ATTRIBUTE_PTR attributes, CK_ULONG count, Body body) {
  auto wanted = Template::read(attributes, count);
  if (!wanted) return std::move(wanted).error();
  return body(*wanted);
}

// Stores a handle or length where the caller wants it.
template <typename T>
Outcome<void> give(Outcome<T> from, T* to) {
  if (!from) return std::move(from).error();
  *to = *from;
  return {};
}

}  // namespace tallystick::cryptoki
