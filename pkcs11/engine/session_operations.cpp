// Session: encryption, decryption, digests, signatures.
#include <functional>

#include "pkcs11/engine/session_step.h"

namespace tallystick::token {
namespace {

bool overlaps(core::ByteView a, core::ByteView b) {
  const std::less<const std::uint8_t*> before;
  return !b.empty() && before(a.data(), b.data() + b.size()) &&
         before(b.data(), a.data() + a.size());
}

}  // namespace

core::ByteView detached(core::ByteView in, core::MutableByteView out, bool in_place,
                        core::Secret& copy) {
  if (!overlaps(in, out) || (in_place && in.data() == out.data())) return in;
  copy = core::Secret::copy_of(in);
  return copy.view();
}

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

// The PIN is checked under the lock, so that the operation it is for cannot change meanwhile; other
// calls on this session wait anyway.
Outcome<void> Session::login_for_operation(core::ByteView pin) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  Waiting latest;
  find_waiting(decrypt_, latest);
  find_waiting(sign_, latest);
  find_waiting(decrypt_messages_, latest);
  find_waiting(sign_messages_, latest);
  if (latest.wants_pin == nullptr) return not_initialized();
  auto right = token_->authenticate(pin);
  if (right) *latest.wants_pin = false;
  return right;
}

// ---- Encryption and decryption ----

Outcome<void> Session::cipher(Slot<CipherOperation> which, Step step, core::ByteView in,
                              Output out) {
  return run(which, step, [&](CipherOperation& operation) {
    const auto size = step == Step::kOnce   ? operation.once_size(in.size())
                      : step == Step::kPart ? operation.update_size(in.size())
                                            : operation.finish_size();
    return produce(size, step == Step::kOnce, out, [&](core::MutableByteView space) {
      if (step == Step::kEnd) return operation.finish(space);
      core::Secret copy;
      const auto input = detached(in, space, operation.in_place(), copy);
      return step == Step::kOnce ? operation.once(input, space) : operation.update(input, space);
    });
  });
}

Outcome<void> Session::encrypt_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle) {
  return start(&Session::encrypt_, mechanism, key_handle, Use::kEncrypt, &Mechanism::encrypt);
}
Outcome<void> Session::encrypt(core::ByteView in, Output out) {
  return cipher(&Session::encrypt_, Step::kOnce, in, out);
}
Outcome<void> Session::encrypt_update(core::ByteView in, Output out) {
  return cipher(&Session::encrypt_, Step::kPart, in, out);
}
Outcome<void> Session::encrypt_finish(Output out) {
  return cipher(&Session::encrypt_, Step::kEnd, {}, out);
}

Outcome<void> Session::decrypt_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle) {
  return start(&Session::decrypt_, mechanism, key_handle, Use::kDecrypt, &Mechanism::decrypt);
}
Outcome<void> Session::decrypt(core::ByteView in, Output out) {
  return cipher(&Session::decrypt_, Step::kOnce, in, out);
}
Outcome<void> Session::decrypt_update(core::ByteView in, Output out) {
  return cipher(&Session::decrypt_, Step::kPart, in, out);
}
Outcome<void> Session::decrypt_finish(Output out) {
  return cipher(&Session::decrypt_, Step::kEnd, {}, out);
}

// ---- Digests, signatures, MACs ----

template <typename T>
Outcome<void> Session::sum(Slot<T> which, Step step, core::ByteView in, Output out) {
  return run(which, step, [&](T& operation) {
    return produce(operation.size(), true, out, [&](core::MutableByteView space) {
      if (step == Step::kEnd) return all_of(operation.finish(space), space);
      core::Secret copy;
      return all_of(operation.once(detached(in, space, false, copy), space), space);
    });
  });
}

Outcome<void> Session::digest_start(const CK_MECHANISM* mechanism) {
  using Digest = Active<DigestOperation>;
  return begin(&Session::digest_, mechanism, [&](const CK_MECHANISM& wanted) -> Outcome<Digest> {
    const auto* const entry = token_->services().mechanisms->find(wanted.mechanism);
    if (entry == nullptr || entry->digest == nullptr) return bad_mechanism("not a digest");
    auto parameter = parameter_of(wanted);
    if (!parameter) return std::move(parameter).error();
    auto operation = entry->digest(token_->context(), *parameter);
    if (!operation) return std::move(operation).error();
    return Digest{*std::move(operation)};
  });
}
Outcome<void> Session::digest(core::ByteView in, Output out) {
  return sum(&Session::digest_, Step::kOnce, in, out);
}
Outcome<void> Session::digest_update(core::ByteView in) { return feed(&Session::digest_, in); }
Outcome<void> Session::digest_finish(Output out) {
  return sum(&Session::digest_, Step::kEnd, {}, out);
}

// Not one of the common shape: a key that is refused does not end the digest.
Outcome<void> Session::digest_key(CK_OBJECT_HANDLE key_handle) {
  const Lock lock(mutex_);
  auto digest = permitted(digest_);
  if (!digest) return std::move(digest).error();
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
  digest_.holds_key = true;
  auto done = attempt([&] { return (*digest)->update((*key)->value()); });
  if (!done) digest_ = {};
  return done;
}

Outcome<void> Session::sign_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle) {
  return start(&Session::sign_, mechanism, key_handle, Use::kSign, &Mechanism::sign);
}
Outcome<void> Session::sign(core::ByteView in, Output out) {
  return sum(&Session::sign_, Step::kOnce, in, out);
}
Outcome<void> Session::sign_update(core::ByteView in) { return feed(&Session::sign_, in); }
Outcome<void> Session::sign_finish(Output out) { return sum(&Session::sign_, Step::kEnd, {}, out); }

Outcome<void> Session::verify_start(const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key_handle) {
  return start(&Session::verify_, mechanism, key_handle, Use::kVerify, &Mechanism::verify);
}
Outcome<void> Session::verify(core::ByteView in, core::ByteView signature) {
  return run(&Session::verify_, Step::kOnce,
             [&](VerifyOperation& operation) { return worked(operation.once(in, signature)); });
}
Outcome<void> Session::verify_update(core::ByteView in) { return feed(&Session::verify_, in); }
Outcome<void> Session::verify_finish(core::ByteView signature) {
  return run(&Session::verify_, Step::kEnd,
             [&](VerifyOperation& operation) { return worked(operation.finish(signature)); });
}

// ---- Signatures that come before the data ----

Outcome<void> Session::verify_signature_start(const CK_MECHANISM* mechanism,
                                              CK_OBJECT_HANDLE key_handle,
                                              core::ByteView signature) {
  constexpr std::size_t kLongest = 1UL << 16;
  if (signature.size() > kLongest) {
    return fault(CKR_SIGNATURE_LEN_RANGE, "no signature is as long");
  }
  return begin_keyed(
      &Session::known_signature_, mechanism, key_handle, Use::kVerify,
      [](const Mechanism& entry) { return entry.verify != nullptr; },
      [&](Chosen chosen) -> Outcome<std::unique_ptr<KnownSignature>> {
        auto operation =
            chosen.mechanism->verify({token_->context(), chosen.parameter, std::move(chosen.key)});
        if (!operation) return std::move(operation).error();
        return std::make_unique<KnownSignature>(
            KnownSignature{*std::move(operation), core::Bytes(signature.begin(), signature.end())});
      });
}
Outcome<void> Session::verify_signature(core::ByteView in) {
  return run(&Session::known_signature_, Step::kOnce, [&](KnownSignature& known) {
    return worked(known.operation->once(in, known.signature));
  });
}
Outcome<void> Session::verify_signature_update(core::ByteView in) {
  return feed(&Session::known_signature_, in);
}
Outcome<void> Session::verify_signature_finish() {
  return run(&Session::known_signature_, Step::kEnd, [](KnownSignature& known) {
    return worked(known.operation->finish(known.signature));
  });
}

}  // namespace tallystick::token
