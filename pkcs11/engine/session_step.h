// The one shape of calls on an operation, for the files that implement Session.
//
// An operation ends with its last call, whatever that answers, and with any call that fails, except
// when the caller only asked for a length or gave too small a buffer (PKCS#11 section 5.2).
#pragma once

#include <new>

#include "pkcs11/engine/session.h"

namespace tallystick::token {

// Input that the output would overwrite before it is read is copied first; `copy` keeps it.
core::ByteView detached(core::ByteView in, core::MutableByteView out, bool in_place,
                        core::Secret& copy);

// Runs `work(MutableByteView)`, which writes at most `size` bytes and gives how many; false when
// the caller only asked for the length. Where nothing comes out the buffer may be missing, if
// `needs_buffer` does not say otherwise.
template <typename Work>
Outcome<bool> produce(const Outcome<std::size_t>& size, bool needs_buffer, Output out, Work work) {
  if (!size) return size.error();
  if (*size > 0 || needs_buffer) {
    auto room = out.reserve(*size);
    if (!room || !*room) return room;
  }
  auto written = work(out.first(*size));
  if (!written) return std::move(written).error();
  out.wrote(*written);
  return true;
}

// For work that writes all of `size` or nothing.
inline Outcome<std::size_t> all_of(Outcome<void> done, core::MutableByteView space) {
  if (!done) return std::move(done).error();
  return space.size();
}

template <typename T>
Outcome<T*> Session::active(Active<T>& slot) {
  if (slot.operation != nullptr && slot.login_epoch != 0 &&
      slot.login_epoch != token_->login_epoch()) {
    slot = {};
  }
  if (slot.operation == nullptr) return not_initialized();
  return slot.operation.get();
}

template <typename T>
void Session::find_waiting(Active<T>& slot, Waiting& latest) {
  if (active(slot) && slot.wants_pin && slot.order > latest.order) {
    latest = {&slot.wants_pin, slot.order};
  }
}

// `make(const CK_MECHANISM&)` gives the Active<T>. It sees a copy of the caller's structure, which
// is read only once (A65). No mechanism: the operation ends.
template <typename T, typename Make>
Outcome<void> Session::begin(Slot<T> which, const CK_MECHANISM* mechanism, Make make) {
  const Lock lock(mutex_);
  auto& slot = this->*which;
  if (auto open = open_check(); !open) return open;
  if (mechanism == nullptr) {
    slot = {};
    return {};
  }
  if (active(slot)) return fault(CKR_OPERATION_ACTIVE, "an operation of this kind is active");
  auto made = make(CK_MECHANISM(*mechanism));
  if (!made) return std::move(made).error();
  slot = *std::move(made);
  slot.order = ++begun_;
  return {};
}

// The operation of a slot, if it may go on.
template <typename T>
Outcome<T*> Session::permitted(Active<T>& slot) {
  if (auto open = open_check(); !open) return std::move(open).error();
  auto operation = active(slot);
  if (operation && slot.wants_pin) {
    return fault(CKR_USER_NOT_LOGGED_IN, "the key wants the PIN for each operation");
  }
  return operation;
}

// Does one step of an operation. Without memory it fails as in any other way, so that the operation
// ends: nobody knows how far it came, and going on would give a wrong result.
template <typename Step>
auto attempt(const Step& step) -> decltype(step()) {
  try {
    return step();
  } catch (const std::bad_alloc&) {
    return fault(CKR_HOST_MEMORY, "no memory");
  }
}

// `body(T&)` gives Outcome<bool>: false when nothing was done but to tell a length.
template <typename T, typename Body>
Outcome<void> Session::run(Slot<T> which, Step step, Body body) {
  const Lock lock(mutex_);
  auto& slot = this->*which;
  auto operation = permitted(slot);
  if (!operation) return std::move(operation).error();
  if (step == Step::kOnce && slot.in_parts) {
    return fault(CKR_OPERATION_ACTIVE, "an operation in parts is active");
  }
  Outcome<bool> worked = attempt([&]() -> Outcome<bool> { return body(**operation); });
  if (!worked) {
    if (worked.error().rv != CKR_BUFFER_TOO_SMALL) slot = {};
    return std::move(worked).error();
  }
  if (!*worked) return {};
  if (step == Step::kPart) {
    slot.in_parts = true;
  } else {
    slot = {};
  }
  return {};
}

// `make(Chosen)` gives a std::unique_ptr<T> for a mechanism that `offers(const Mechanism&)`.
template <typename T, typename Offers, typename Make>
Outcome<void> Session::begin_keyed(Slot<T> which, const CK_MECHANISM* mechanism,
                                   CK_OBJECT_HANDLE key_handle, Use use, Offers offers, Make make) {
  return begin(which, mechanism, [&](const CK_MECHANISM& wanted) -> Outcome<Active<T>> {
    // Taken first: a logout from here on ends the operation.
    const auto epoch = token_->login_epoch();
    const auto* const entry = token_->services().mechanisms->find(wanted.mechanism);
    if (entry == nullptr || !offers(*entry)) return bad_mechanism("the mechanism does not do this");
    auto chosen = choose(wanted, key_handle, use);
    if (!chosen) return std::move(chosen).error();
    if (!offers(*chosen->mechanism)) return bad_mechanism("the mechanism does not do this");
    const bool is_private = chosen->key->is_private();
    const bool wants_pin = chosen->key->flag(CKA_ALWAYS_AUTHENTICATE);
    auto operation = make(*std::move(chosen));
    if (!operation) return std::move(operation).error();
    return Active<T>{*std::move(operation), is_private ? epoch : 0, false, wants_pin};
  });
}

template <typename T>
Outcome<void> Session::start(Slot<T> which, const CK_MECHANISM* mechanism,
                             CK_OBJECT_HANDLE key_handle, Use use, Factory<T> factory) {
  return begin_keyed(
      which, mechanism, key_handle, use,
      [factory](const Mechanism& entry) { return entry.*factory != nullptr; },
      [&](Chosen chosen) {
        return (chosen.mechanism->*factory)(
            {token_->context(), chosen.parameter, std::move(chosen.key)});
      });
}

template <typename T>
Outcome<void> Session::feed(Slot<T> which, core::ByteView in) {
  return run(which, Step::kPart, [&](T& operation) -> Outcome<bool> {
    if (auto fed = operation.update(in); !fed) return std::move(fed).error();
    return true;
  });
}

// For calls that check something and write nothing.
inline Outcome<bool> worked(Outcome<void> done) {
  if (!done) return std::move(done).error();
  return true;
}

}  // namespace tallystick::token
