// Session: encryption, decryption, digests, signatures.
//
// An operation ends with its last call, whatever that answers, except when the caller only asked
// for a length or gave too small a buffer (PKCS#11 section 5.2).
#include <functional>

#include "pkcs11/engine/session.h"

namespace tallystick::token {
namespace {

bool overlaps(core::ByteView a, core::ByteView b) {
  const std::less<const std::uint8_t*> before;
  return !a.empty() && !b.empty() && before(a.data(), b.data() + b.size()) &&
         before(b.data(), a.data() + a.size());
}

// Input that the output would overwrite before it is read is copied first.
core::ByteView detached(core::ByteView in, core::MutableByteView out, bool in_place,
                        core::Secret& copy) {
  if (!overlaps(in, out) || (in_place && in.data() == out.data())) return in;
  copy = core::Secret::copy_of(in);
  return copy.view();
}

}  // namespace

Outcome<Parameter> Session::parameter_of(const CK_MECHANISM& mechanism) const {
  return Parameter::read(mechanism);
}

Outcome<Session::Chosen> Session::choose(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE key_handle,
                                         Use use, CK_RV bad_handle) {
  // Only this copy is looked at from here on (A65).
  const CK_MECHANISM copy = mechanism;
  const auto& table = *token_->services().mechanisms;
  if (table.find(copy.mechanism) == nullptr) return bad_mechanism("no such mechanism");
  auto key = object(key_handle, bad_handle);
  if (!key) return std::move(key).error();
  const auto* const entry = table.find(copy.mechanism, **key);
  if (entry == nullptr) return bad_mechanism("the mechanism does not work with this key");
  auto parameter = parameter_of(copy);
  if (!parameter) return std::move(parameter).error();
  if (use != Use::kWrap) {
    Request request;
    request.caller = caller();
    request.object = key->get();
    request.use = use;
    request.mechanism = entry;
    if (auto allowed = token_->services().policy->decide(request); !allowed) {
      return std::move(allowed).error();
    }
  }
  return Chosen{entry, *std::move(parameter), *std::move(key)};
}

template <typename T>
Outcome<void> Session::start(
    Slot<T> which, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle, Use use,
    Outcome<std::unique_ptr<T>> (*Mechanism::*factory)(const OperationInput&)) {
  const Lock lock(mutex_);
  auto& slot = this->*which;
  if (auto open = open_check(); !open) return open;
  if (mechanism == nullptr) {
    slot = {};
    return {};
  }
  if (active(slot)) return fault(CKR_OPERATION_ACTIVE, "an operation of this kind is active");
  // Taken first: a logout from here on ends the operation.
  const auto epoch = token_->login_epoch();
  const auto* const entry = token_->services().mechanisms->find(mechanism->mechanism);
  if (entry == nullptr || entry->*factory == nullptr) {
    return bad_mechanism("the mechanism does not do this");
  }
  auto chosen = choose(*mechanism, key_handle, use);
  if (!chosen) return std::move(chosen).error();
  if (chosen->mechanism->*factory == nullptr) {
    return bad_mechanism("the mechanism does not do this");
  }
  const bool is_private = chosen->key->is_private();
  auto operation =
      (chosen->mechanism->*factory)({token_->context(), chosen->parameter, std::move(chosen->key)});
  if (!operation) return std::move(operation).error();
  slot = {*std::move(operation), is_private ? epoch : 0, false};
  return {};
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

Outcome<void> Session::cipher_once(Slot<CipherOperation> which, core::ByteView in, Output out) {
  const Lock lock(mutex_);
  auto& slot = this->*which;
  if (auto open = open_check(); !open) return open;
  auto operation = active(slot);
  if (!operation) return std::move(operation).error();
  if (slot.in_parts) return fault(CKR_OPERATION_ACTIVE, "an operation in parts is active");
  auto size = (*operation)->once_size(in.size());
  if (!size) {
    slot = {};
    return std::move(size).error();
  }
  auto room = out.reserve(*size);
  if (!room) return std::move(room).error();
  if (!*room) return {};
  core::Secret copy;
  const auto space = out.first(*size);
  auto written = (*operation)->once(detached(in, space, (*operation)->in_place(), copy), space);
  slot = {};
  if (!written) return std::move(written).error();
  out.wrote(*written);
  return {};
}

Outcome<void> Session::cipher_update(Slot<CipherOperation> which, core::ByteView in, Output out) {
  const Lock lock(mutex_);
  auto& slot = this->*which;
  if (auto open = open_check(); !open) return open;
  auto operation = active(slot);
  if (!operation) return std::move(operation).error();
  auto size = (*operation)->update_size(in.size());
  if (!size) {
    slot = {};
    return std::move(size).error();
  }
  // A part that gives nothing yet may come without a buffer.
  if (*size > 0) {
    auto room = out.reserve(*size);
    if (!room) return std::move(room).error();
    if (!*room) return {};
  }
  slot.in_parts = true;
  core::Secret copy;
  const auto space = out.first(*size);
  auto written = (*operation)->update(detached(in, space, (*operation)->in_place(), copy), space);
  if (!written) {
    slot = {};
    return std::move(written).error();
  }
  out.wrote(*written);
  return {};
}

Outcome<void> Session::cipher_finish(Slot<CipherOperation> which, Output out) {
  const Lock lock(mutex_);
  auto& slot = this->*which;
  if (auto open = open_check(); !open) return open;
  auto operation = active(slot);
  if (!operation) return std::move(operation).error();
  auto size = (*operation)->finish_size();
  if (!size) {
    slot = {};
    return std::move(size).error();
  }
  if (*size > 0) {
    auto room = out.reserve(*size);
    if (!room) return std::move(room).error();
    if (!*room) return {};
  }
  auto written = (*operation)->finish(out.first(*size));
  slot = {};
  if (!written) return std::move(written).error();
  out.wrote(*written);
  return {};
}

Outcome<void> Session::encrypt_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle) {
  return start(&Session::encrypt_, mechanism, key_handle, Use::kEncrypt, &Mechanism::encrypt);
}
Outcome<void> Session::encrypt(core::ByteView in, Output out) {
  return cipher_once(&Session::encrypt_, in, out);
}
Outcome<void> Session::encrypt_update(core::ByteView in, Output out) {
  return cipher_update(&Session::encrypt_, in, out);
}
Outcome<void> Session::encrypt_finish(Output out) { return cipher_finish(&Session::encrypt_, out); }

Outcome<void> Session::decrypt_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle) {
  return start(&Session::decrypt_, mechanism, key_handle, Use::kDecrypt, &Mechanism::decrypt);
}
Outcome<void> Session::decrypt(core::ByteView in, Output out) {
  return cipher_once(&Session::decrypt_, in, out);
}
Outcome<void> Session::decrypt_update(core::ByteView in, Output out) {
  return cipher_update(&Session::decrypt_, in, out);
}
Outcome<void> Session::decrypt_finish(Output out) { return cipher_finish(&Session::decrypt_, out); }

Outcome<void> Session::digest_start(const CK_MECHANISM* mechanism) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  if (mechanism == nullptr) {
    digest_ = {};
    return {};
  }
  if (digest_.operation) return fault(CKR_OPERATION_ACTIVE, "a digest is active");
  const CK_MECHANISM copy = *mechanism;
  const auto* const entry = token_->services().mechanisms->find(copy.mechanism);
  if (entry == nullptr || entry->digest == nullptr) return bad_mechanism("not a digest");
  auto parameter = parameter_of(copy);
  if (!parameter) return std::move(parameter).error();
  auto operation = entry->digest(token_->context(), *parameter);
  if (!operation) return std::move(operation).error();
  digest_ = {*std::move(operation), 0, false};
  return {};
}

Outcome<void> Session::digest(core::ByteView in, Output out) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  auto operation = active(digest_);
  if (!operation) return std::move(operation).error();
  if (digest_.in_parts) return fault(CKR_OPERATION_ACTIVE, "an operation in parts is active");
  const auto size = (*operation)->size();
  auto room = out.reserve(size);
  if (!room) return std::move(room).error();
  if (!*room) return {};
  auto done = (*operation)->update(in);
  if (done) done = (*operation)->finish(out.first(size));
  digest_ = {};
  return done;
}

Outcome<void> Session::digest_update(core::ByteView in) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  auto operation = active(digest_);
  if (!operation) return std::move(operation).error();
  digest_.in_parts = true;
  auto done = (*operation)->update(in);
  if (!done) digest_ = {};
  return done;
}

Outcome<void> Session::digest_key(CK_OBJECT_HANDLE key_handle) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  auto operation = active(digest_);
  if (!operation) return std::move(operation).error();
  auto key = object(key_handle, CKR_KEY_HANDLE_INVALID);
  if (!key) return std::move(key).error();
  Request request;
  request.caller = caller();
  request.object = key->get();
  request.use = Use::kDigest;
  if (auto allowed = token_->services().policy->decide(request); !allowed) {
    return std::move(allowed).error();
  }
  digest_.in_parts = true;
  auto done = (*operation)->update((*key)->value());
  if (!done) digest_ = {};
  return done;
}

Outcome<void> Session::digest_finish(Output out) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  auto operation = active(digest_);
  if (!operation) return std::move(operation).error();
  const auto size = (*operation)->size();
  auto room = out.reserve(size);
  if (!room) return std::move(room).error();
  if (!*room) return {};
  auto done = (*operation)->finish(out.first(size));
  digest_ = {};
  return done;
}

Outcome<void> Session::sign_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle) {
  return start(&Session::sign_, mechanism, key_handle, Use::kSign, &Mechanism::sign);
}

Outcome<void> Session::sign(core::ByteView in, Output out) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  auto operation = active(sign_);
  if (!operation) return std::move(operation).error();
  if (sign_.in_parts) return fault(CKR_OPERATION_ACTIVE, "an operation in parts is active");
  const auto size = (*operation)->size();
  auto room = out.reserve(size);
  if (!room) return std::move(room).error();
  if (!*room) return {};
  core::Secret copy;
  const auto space = out.first(size);
  auto done = (*operation)->once(detached(in, space, false, copy), space);
  sign_ = {};
  return done;
}

Outcome<void> Session::sign_update(core::ByteView in) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  auto operation = active(sign_);
  if (!operation) return std::move(operation).error();
  sign_.in_parts = true;
  auto done = (*operation)->update(in);
  if (!done) sign_ = {};
  return done;
}

Outcome<void> Session::sign_finish(Output out) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  auto operation = active(sign_);
  if (!operation) return std::move(operation).error();
  const auto size = (*operation)->size();
  auto room = out.reserve(size);
  if (!room) return std::move(room).error();
  if (!*room) return {};
  auto done = (*operation)->finish(out.first(size));
  sign_ = {};
  return done;
}

Outcome<void> Session::verify_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle) {
  return start(&Session::verify_, mechanism, key_handle, Use::kVerify, &Mechanism::verify);
}

Outcome<void> Session::verify(core::ByteView in, core::ByteView signature) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  auto operation = active(verify_);
  if (!operation) return std::move(operation).error();
  if (verify_.in_parts) return fault(CKR_OPERATION_ACTIVE, "an operation in parts is active");
  auto done = (*operation)->once(in, signature);
  verify_ = {};
  return done;
}

Outcome<void> Session::verify_update(core::ByteView in) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  auto operation = active(verify_);
  if (!operation) return std::move(operation).error();
  verify_.in_parts = true;
  auto done = (*operation)->update(in);
  if (!done) verify_ = {};
  return done;
}

Outcome<void> Session::verify_finish(core::ByteView signature) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  auto operation = active(verify_);
  if (!operation) return std::move(operation).error();
  auto done = (*operation)->finish(signature);
  verify_ = {};
  return done;
}

}  // namespace tallystick::token
