// Runner: calls that use keys.
#include "tests/model/runner.h"

namespace tallystick::model {
std::string Runner::wrap(const Call& call, Session& session) {
  const auto verdict = model.expect_wrap(call, session);
  PackedMechanism mechanism(call);
  Bytes out(kRoom);
  CK_ULONG size = call.shape == Shape::kTooSmall ? 1 : out.size();
  const auto rv = module_->C_WrapKey(session.handle, mechanism.get(), model.handle(call.object),
                                     model.handle(call.key),
                                     call.shape == Shape::kLengthOnly ? nullptr : out.data(),
                                     call.shape == Shape::kNullPointer ? nullptr : &size);
  auto difference = answer(call, verdict, rv);
  if (rv != CKR_OK || !difference.empty() || call.shape != Shape::kPlain) return difference;
  out.resize(size);
  const auto& wrapping = *model.object(session, call.object);
  const auto& key = *model.object(session, call.key);
  Output made;
  made.mechanism = call.mechanism;
  made.key = wrapping.value;
  made.bytes = out;
  made.wrapped = model.encoded(key);
  made.vouched = wrapping.flag(CKA_TRUSTED);
  model.outputs[call.id] = std::move(made);
  return no_secret_in(out);
}

std::string Runner::unwrap(const Call& call, Session& session) {
  const auto plan = model.plan_unwrap(call, session);
  PackedTemplate packed(call.attributes);
  PackedMechanism mechanism(call);
  Bytes in = input(call);
  CK_OBJECT_HANDLE handle = 0;
  const auto rv =
      module_->C_UnwrapKey(session.handle, mechanism.get(), model.handle(call.object),
                           in.empty() ? nullptr : in.data(), in.size(), packed.data(),
                           packed.size(), call.shape == Shape::kNullPointer ? nullptr : &handle);
  return made(call, session, plan, rv, handle);
}

CK_RV Runner::call_init(const Call& call, CK_SESSION_HANDLE session) {
  PackedMechanism packed(call);
  auto* const mechanism = call.shape == Shape::kNullPointer ? nullptr : packed.get();
  const auto key = model.handle(call.object);
  switch (call.use) {
    case Use::kEncrypt:
      return module_->C_EncryptInit(session, mechanism, key);
    case Use::kDecrypt:
      return module_->C_DecryptInit(session, mechanism, key);
    case Use::kSign:
      return module_->C_SignInit(session, mechanism, key);
    case Use::kVerify:
      return module_->C_VerifyInit(session, mechanism, key);
    default:
      return module_->C_DigestInit(session, mechanism);
  }
}

std::string Runner::init(const Call& call, Session& session) {
  const auto verdict = model.expect_init(call, session);
  const auto rv = call_init(call, session.handle);
  auto difference = answer(call, verdict, rv, std::string(use_name(call.use)) + "Init");
  if (rv == CKR_OK && difference.empty()) model.did_init(call, session);
  return difference;
}

CK_RV Runner::call_run(const Call& call, CK_SESSION_HANDLE session, const Operation* active,
                       Bytes& in, CK_BYTE* out, CK_ULONG* size) {
  switch (call.use) {
    case Use::kEncrypt:
      return module_->C_Encrypt(session, in.data(), in.size(), out, size);
    case Use::kDecrypt:
      return module_->C_Decrypt(session, in.data(), in.size(), out, size);
    case Use::kSign:
      return module_->C_Sign(session, in.data(), in.size(), out, size);
    case Use::kVerify: {
      Bytes data = call.bytes;
      return module_->C_Verify(session, data.data(), data.size(), in.data(), in.size());
    }
    default:
      if (active != nullptr && active->took_key) {
        return module_->C_DigestFinal(session, out, size);
      }
      return module_->C_Digest(session, in.data(), in.size(), out, size);
  }
}

std::string Runner::operate(const Call& call, Session& session) {
  const auto run = model.expect_run(call, session);
  const auto* const active = model.operation(session, call.use);
  const Operation was = active == nullptr ? Operation{} : *active;
  const bool takes_output = call.use == Use::kDecrypt || call.use == Use::kVerify;
  Bytes in = takes_output ? input(call) : call.bytes;
  in.reserve(1);  // a pointer even where there is nothing
  Bytes out(kRoom);
  CK_ULONG size = call.shape == Shape::kTooSmall ? 1 : out.size();
  auto* const to = call.shape == Shape::kLengthOnly ? nullptr : out.data();
  const auto rv = call_run(call, session.handle, active, in, to, &size);
  auto difference = answer(call, run.verdict, rv, use_name(call.use));
  if (!difference.empty()) return difference;
  const bool goes_on = rv == CKR_BUFFER_TOO_SMALL || rv == CKR_USER_NOT_LOGGED_IN ||
                       (rv == CKR_OK && call.shape == Shape::kLengthOnly);
  if (!goes_on) session.operations.erase(call.use);
  if (rv != CKR_OK || call.use == Use::kVerify || call.shape == Shape::kLengthOnly) return "";
  out.resize(size);
  return after_run(call, run, was, out);
}

std::string Runner::after_run(const Call& call, const Model::Run& run, const Operation& was,
                              const Bytes& out) {
  if (run.size != 0 && out.size() != run.size) return "the output has another length";
  if (run.gives_secret) return "a wrapped key that hides its value was decrypted";
  if (run.data && *run.data != out) return "decryption gives other data";
  if (run.gives >= 0) model.show(run.gives, out);
  if (call.use == Use::kEncrypt || call.use == Use::kSign) {
    Output made;
    made.mechanism = was.mechanism;
    made.key = was.value;
    made.bytes = out;
    made.data = call.bytes;
    made.signature = call.use == Use::kSign;
    model.outputs[call.id] = std::move(made);
  }
  return no_secret_in(out);
}

std::string Runner::operation_state(const Call& call, Session& session) {
  if (call.op == Op::kDigestKey) {
    const auto verdict = model.expect_digest_key(call, session);
    const auto rv = module_->C_DigestKey(session.handle, model.handle(call.object));
    auto difference = answer(call, verdict, rv);
    if (rv == CKR_OK && difference.empty()) session.operations[Use::kDigest].took_key = true;
    return difference;
  }
  Verdict verdict;
  if (call.op == Op::kRestoreState) {
    // A ticket that nobody gave.
    Bytes forged(38, 0x33);
    verdict.add(CKR_SAVED_STATE_INVALID);
    return answer(call, verdict,
                  module_->C_SetOperationState(session.handle, forged.data(), forged.size(), 0, 0));
  }
  const auto& active = session.operations;
  const auto digest = active.find(Use::kDigest);
  const bool saveable = active.size() == 1 && digest != active.end() && !digest->second.took_key;
  verdict.add_if(active.empty(), CKR_OPERATION_NOT_INITIALIZED);
  verdict.add_if(!active.empty() && !saveable && model.on(Rule::kStateOfKeys),
                 CKR_STATE_UNSAVEABLE);
  Bytes out(kRoom);
  CK_ULONG size = out.size();
  const auto rv = module_->C_GetOperationState(session.handle, out.data(), &size);
  auto difference = answer(call, verdict, rv);
  if (rv != CKR_OK || !difference.empty()) return difference;
  out.resize(size);
  return no_secret_in(out);
}

}  // namespace tallystick::model
