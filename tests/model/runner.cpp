#include "tests/model/runner.h"

#include <algorithm>
#include <cstring>

namespace tallystick::model {
namespace {

constexpr CK_SESSION_HANDLE kNoSession = 0x50000000UL;

std::string handle_text(CK_OBJECT_HANDLE handle) { return std::to_string(handle); }

}  // namespace

std::string Runner::answer(const Call& call, const Verdict& verdict, CK_RV rv,
                           const std::string& name) {
  ++statistics_.calls;
  if (verdict.exact()) ++statistics_.exact;
  ++statistics_.pairs[{name.empty() ? op_name(call.op) : name, rv}];
  if (verdict.allows(rv)) return "";
  return "the model says " + verdict.text() + ", the module " + rv_text(rv);
}

std::string Runner::no_secret_in(const Bytes& out) {
  const auto contains = [&out](const Bytes& secret) {
    return secret.size() >= 16 && out.size() >= secret.size() &&
           memmem(out.data(), out.size(), secret.data(), secret.size()) != nullptr;
  };
  for (const auto& secret : secrets) {
    if (contains(secret)) return "a secret of the family came out";
  }
  if (out.size() < 16) return "";
  for (const auto& value : model.values) {
    if (value.bytes && !value.shown && contains(*value.bytes)) {
      return "the value of a key that hides it came out";
    }
  }
  return "";
}

std::string Runner::new_handle(CK_OBJECT_HANDLE handle) {
  if (handle == CK_INVALID_HANDLE) return "an object has the handle 0";
  if (!used_.insert(handle).second) return "handle " + handle_text(handle) + " was used before";
  return "";
}

void Runner::begin_process() {
  used_.clear();
  used_sessions_.clear();
  model.sessions.clear();
  model.gone.clear();
  for (auto& [ref, object] : model.objects) object.handle = 0;
  for (auto& token : model.tokens) token.login = Login::kNobody;
}

void Runner::learn_identity(CK_SESSION_HANDLE session, Object& object) {
  Bytes id(64);
  CK_ATTRIBUTE wanted = {CKA_UNIQUE_ID, id.data(), id.size()};
  if (module_->C_GetAttributeValue(session, object.handle, &wanted, 1) != CKR_OK) return;
  id.resize(wanted.ulValueLen);
  object.seen[CKA_UNIQUE_ID] = id;
}

std::string Runner::check_slot(unsigned slot) {
  CK_SESSION_HANDLE own = 0;
  if (module_->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &own) !=
      CKR_OK) {
    return "no session to look around in";
  }
  std::string difference;
  if (!used_sessions_.insert(own).second) difference = "a session's handle was used before";
  std::vector<CK_OBJECT_HANDLE> found(1000);
  CK_ULONG count = 0;
  const bool searched = module_->C_FindObjectsInit(own, nullptr, 0) == CKR_OK &&
                        module_->C_FindObjects(own, found.data(), found.size(), &count) == CKR_OK;
  if (!searched) difference = "the search of everything fails";
  found.resize(count);
  std::map<Bytes, CK_OBJECT_HANDLE> by_id;
  for (const auto handle : found) {
    Object any;
    any.handle = handle;
    learn_identity(own, any);
    by_id[any.seen[CKA_UNIQUE_ID]] = handle;
  }
  if (by_id.size() != found.size()) difference = "two objects have one CKA_UNIQUE_ID";
  for (auto& [ref, object] : model.objects) {
    if (object.slot != slot || !model.visible(object)) continue;
    const auto at = by_id.find(object.seen[CKA_UNIQUE_ID]);
    if (at == by_id.end()) {
      difference = "object " + std::to_string(ref) + " is not found";
      continue;
    }
    if (object.handle == 0) {
      const auto stale = new_handle(at->second);
      if (!stale.empty()) difference = stale;
      object.handle = at->second;
    } else if (object.handle != at->second) {
      difference = "object " + std::to_string(ref) + " has another handle than before";
    }
    by_id.erase(at);
  }
  if (!by_id.empty()) difference = "an object is found that should not be there, or not be seen";
  (void)module_->C_CloseSession(own);
  return difference;
}

Bytes Runner::input(const Call& call) const {
  Bytes in = call.bytes;
  const auto given = model.outputs.find(call.blob);
  if (given != model.outputs.end()) in = given->second.bytes;
  if (call.shape == Shape::kTampered && !in.empty()) in[in.size() / 2] ^= 1U;
  return in;
}

std::string Runner::run(const Call& call) {
  if (call.op == Op::kOpenSession) return open_session(call);
  if (call.op == Op::kCloseAllSessions) return close_all(call);
  auto* const session = model.session(call.session);
  if (session == nullptr) {
    // One call with a session that is not there is like the other.
    CK_SESSION_INFO info{};
    Verdict verdict;
    verdict.add(CKR_SESSION_HANDLE_INVALID);
    const auto stale = call.session == 0 ? CK_SESSION_HANDLE{0} : kNoSession + call.session;
    return answer(call, verdict,
                  call.op == Op::kCloseSession ? module_->C_CloseSession(stale)
                  : call.op == Op::kLogout     ? module_->C_Logout(stale)
                                               : module_->C_GetSessionInfo(stale, &info));
  }
  switch (call.op) {
    case Op::kSessionInfo:
      return session_info(call, *session);
    case Op::kCloseSession: {
      auto difference = answer(call, {}, module_->C_CloseSession(session->handle));
      model.did_close(call.session);
      return difference;
    }
    case Op::kLogin:
    case Op::kLogout:
      return login(call, *session);
    case Op::kInitPin:
    case Op::kSetPin:
      return pins(call, *session);
    case Op::kGet:
      return get(call, *session);
    case Op::kFindInit:
    case Op::kFind:
    case Op::kFindFinal:
      return search(call, *session);
    case Op::kGeneratePair:
      return generate_pair(call, *session);
    case Op::kWrap:
      return wrap(call, *session);
    case Op::kUnwrap:
      return unwrap(call, *session);
    case Op::kInit:
      return init(call, *session);
    case Op::kRun:
      return operate(call, *session);
    case Op::kDigestKey:
    case Op::kSaveState:
    case Op::kRestoreState:
      return operation_state(call, *session);
    default:
      return change(call, *session);
  }
}

// ---- Sessions ----

std::string Runner::open_session(const Call& call) {
  const auto verdict = model.expect_open(call);
  CK_SESSION_HANDLE handle = 0;
  const auto rv = module_->C_OpenSession(call.slot, call.number, nullptr, nullptr,
                                         call.shape == Shape::kNullPointer ? nullptr : &handle);
  auto difference = answer(call, verdict, rv);
  if (rv != CKR_OK || !difference.empty()) return difference;
  if (!used_sessions_.insert(handle).second) return "a session's handle was used before";
  model.did_open(call, handle);
  return "";
}

std::string Runner::close_all(const Call& call) {
  Verdict verdict;
  verdict.add_if(call.slot >= Model::kTokens, CKR_SLOT_ID_INVALID);
  const auto rv = module_->C_CloseAllSessions(call.slot);
  auto difference = answer(call, verdict, rv);
  if (rv != CKR_OK || !difference.empty()) return difference;
  std::vector<Ref> closing;
  for (const auto& [ref, session] : model.sessions) {
    if (session.slot == call.slot) closing.push_back(ref);
  }
  for (const auto ref : closing) model.did_close(ref);
  return check_slot(static_cast<unsigned>(call.slot));
}

std::string Runner::session_info(const Call& call, const Session& session) {
  Verdict verdict;
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  CK_SESSION_INFO info{};
  const auto rv = module_->C_GetSessionInfo(session.handle,
                                            call.shape == Shape::kNullPointer ? nullptr : &info);
  auto difference = answer(call, verdict, rv);
  if (rv != CKR_OK || !difference.empty()) return difference;
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (session.read_write ? CKF_RW_SESSION : 0UL);
  if (info.state != model.state(session)) {
    return "the session's state is " + std::to_string(info.state) + " and not " +
           std::to_string(model.state(session));
  }
  return info.slotID == session.slot && info.flags == flags ? "" : "the session is another";
}

std::string Runner::login(const Call& call, Session& session) {
  if (call.op == Op::kLogout) {
    Verdict verdict;
    verdict.add_if(model.tokens.at(session.slot).login == Login::kNobody, CKR_USER_NOT_LOGGED_IN);
    const auto rv = module_->C_Logout(session.handle);
    auto difference = answer(call, verdict, rv);
    if (rv != CKR_OK || !difference.empty()) return difference;
    model.did_logout(session.slot);
    return check_slot(session.slot);
  }
  const auto verdict = model.expect_login(call, session);
  Bytes pin = call.bytes;
  const bool null = call.shape == Shape::kNullPointer;
  const auto rv =
      module_->C_Login(session.handle, call.number, null ? nullptr : pin.data(), pin.size());
  auto difference = answer(call, verdict, rv);
  if (!difference.empty()) return difference;
  model.did_login(call, session, rv);
  if (difference = check_tries(session.slot); !difference.empty()) return difference;
  return rv == CKR_OK && call.number != CKU_CONTEXT_SPECIFIC ? check_slot(session.slot) : "";
}

std::string Runner::check_tries(unsigned slot) {
  CK_TOKEN_INFO info{};
  if (module_->C_GetTokenInfo(slot, &info) != CKR_OK) return "C_GetTokenInfo fails";
  const auto& token = model.tokens.at(slot);
  const auto says = [&info](CK_FLAGS flag) { return (info.flags & flag) != 0; };
  const bool right = says(CKF_USER_PIN_COUNT_LOW) == (token.user_tries > 0) &&
                     says(CKF_SO_PIN_COUNT_LOW) == (token.so_tries > 0) &&
                     says(CKF_USER_PIN_LOCKED) == (token.user_tries >= Model::kMostTries) &&
                     says(CKF_SO_PIN_LOCKED) == (token.so_tries >= Model::kMostTries);
  return right ? "" : "the token counts the tries otherwise";
}

std::string Runner::pins(const Call& call, Session& session) {
  Bytes pin = call.bytes;
  Bytes next = call.more;
  const bool null = call.shape == Shape::kNullPointer;
  auto* const first = null ? nullptr : pin.data();
  if (call.op == Op::kInitPin) {
    const auto verdict = model.expect_init_pin(call, session);
    const auto rv = module_->C_InitPIN(session.handle, first, pin.size());
    auto difference = answer(call, verdict, rv);
    if (rv != CKR_OK || !difference.empty()) return difference;
    model.did_init_pin(call, session);
    return check_slot(session.slot);
  }
  const auto verdict = model.expect_set_pin(call, session);
  const auto rv = module_->C_SetPIN(session.handle, first, pin.size(), next.data(), next.size());
  auto difference = answer(call, verdict, rv);
  if (!difference.empty()) return difference;
  model.did_set_pin(call, session, rv);
  return check_tries(session.slot);
}

// ---- Objects ----

std::string Runner::made(const Call& call, const Session& session, const Plan& plan, CK_RV rv,
                         CK_OBJECT_HANDLE handle) {
  auto difference = answer(call, plan.verdict, rv);
  if (rv != CKR_OK || !difference.empty()) return difference;
  if (auto stale = new_handle(handle); !stale.empty()) return stale;
  const Ref ref = 2 * call.id;
  model.keep(ref, handle, plan.object);
  learn_identity(session.handle, model.objects.at(ref));
  return "";
}

std::string Runner::change(const Call& call, Session& session) {
  const bool null = call.shape == Shape::kNullPointer;
  PackedTemplate packed(call.attributes);
  PackedMechanism mechanism(call);
  CK_OBJECT_HANDLE handle = 0;
  auto* const out = null ? nullptr : &handle;
  switch (call.op) {
    case Op::kCreate: {
      const auto plan = model.plan_create(call, session);
      const auto rv = module_->C_CreateObject(session.handle, packed.data(), packed.size(), out);
      return made(call, session, plan, rv, handle);
    }
    case Op::kCopy: {
      const auto plan = model.plan_copy(call, session);
      const auto rv = module_->C_CopyObject(session.handle, model.handle(call.object),
                                            packed.data(), packed.size(), out);
      return made(call, session, plan, rv, handle);
    }
    case Op::kGenerate: {
      const auto plan = model.plan_generate(call, session);
      const auto rv = module_->C_GenerateKey(session.handle, mechanism.get(), packed.data(),
                                             packed.size(), out);
      return made(call, session, plan, rv, handle);
    }
    case Op::kDerive: {
      const auto plan = model.plan_derive(call, session);
      const auto rv =
          module_->C_DeriveKey(session.handle, mechanism.get(), model.handle(call.object),
                               packed.data(), packed.size(), out);
      return made(call, session, plan, rv, handle);
    }
    case Op::kSet: {
      const auto plan = model.plan_set(call, session);
      const auto rv = module_->C_SetAttributeValue(session.handle, model.handle(call.object),
                                                   null ? nullptr : packed.data(), packed.size());
      auto difference = answer(call, plan.verdict, rv);
      if (rv == CKR_OK && difference.empty()) {
        const auto before = model.handle(call.object);
        model.keep(call.object, before, plan.object);
      }
      return difference;
    }
    default: {
      const auto verdict = model.expect_destroy(call, session);
      const auto rv = module_->C_DestroyObject(session.handle, model.handle(call.object));
      auto difference = answer(call, verdict, rv);
      if (rv == CKR_OK && difference.empty()) model.forget(call.object);
      return difference;
    }
  }
}

std::string Runner::get(const Call& call, Session& session) {
  auto* const object = model.object(session, call.object);
  std::vector<Bytes> buffers(call.attributes.size(), Bytes(kRoom, 0x5A));
  std::vector<CK_ATTRIBUTE> wanted;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const auto type = call.attributes[i].type;
    const Row* const row =
        object == nullptr ? nullptr : row_of(type, object->object_class(), object->key_type());
    // An array is asked for its length only: its entries would be pointers.
    const bool length_only =
        call.shape == Shape::kLengthOnly || row == nullptr || row->kind == Kind::kArray;
    const CK_ULONG room = call.shape == Shape::kTooSmall ? 1 : kRoom;
    wanted.push_back({type, length_only ? nullptr : buffers[i].data(), room});
  }
  const bool null = call.shape == Shape::kNullPointer;
  CK_ATTRIBUTE none{};
  const auto rv = module_->C_GetAttributeValue(session.handle, model.handle(call.object),
                                               null             ? nullptr
                                               : wanted.empty() ? &none
                                                                : wanted.data(),
                                               wanted.size());
  Verdict verdict;
  verdict.add_if(null, CKR_ARGUMENTS_BAD);
  verdict.add_if(object == nullptr, CKR_OBJECT_HANDLE_INVALID);
  std::string difference;
  for (std::size_t i = 0; object != nullptr && !null && i < wanted.size(); ++i) {
    auto& one = wanted[i];
    const bool unavailable = one.ulValueLen == CK_UNAVAILABLE_INFORMATION;
    const bool untouched = std::ranges::all_of(buffers[i], [](auto byte) { return byte == 0x5A; });
    auto reading = model.read(*object, one.type);
    const auto name = attribute_name(one.type);
    if (reading.may_be_absent && reading.rv == CKR_OK) {
      // The model does not know; once it is read it stays so.
      verdict.perhaps(CKR_ATTRIBUTE_TYPE_INVALID);
      verdict.perhaps(CKR_ATTRIBUTE_SENSITIVE);
      if (call.shape == Shape::kTooSmall) verdict.perhaps(CKR_BUFFER_TOO_SMALL);
      if (unavailable) continue;
    }
    if (reading.rv != CKR_OK) {
      verdict.add(reading.rv);
      if (!unavailable) difference = name + " was read, and should not be";
      if (!untouched) difference = name + " is not available, and something was written";
      continue;
    }
    if (one.pValue == nullptr) {
      if (reading.value && one.ulValueLen != reading.value->size()) {
        difference = name + " has another length";
      }
      continue;
    }
    if (call.shape == Shape::kTooSmall) {
      const bool fits = reading.value && reading.value->size() <= 1;
      if (!reading.value && !unavailable) continue;
      verdict.add_if(!fits, CKR_BUFFER_TOO_SMALL);
      if (!fits && (!untouched || !unavailable)) difference = name + " was written into too little";
      continue;
    }
    if (unavailable || one.ulValueLen > kRoom) {
      difference = name + " cannot be read";
      continue;
    }
    const Bytes value(buffers[i].begin(), buffers[i].begin() + static_cast<long>(one.ulValueLen));
    auto& known = object->seen[one.type];
    if (!reading.value && !known.empty()) reading.value = known;
    if (reading.value && *reading.value != value) {
      difference = name + " is " + hex(value) + " and not " + hex(*reading.value);
    }
    if (!reading.value) known = value;
    if (one.type == CKA_VALUE && object->object_class() == CKO_SECRET_KEY && object->value >= 0) {
      model.show(object->value, value);
    }
    if (auto secret = no_secret_in(value); !secret.empty()) difference = name + ": " + secret;
  }
  auto answered = answer(call, verdict, rv);
  return answered.empty() ? difference : answered;
}

std::string Runner::search(const Call& call, Session& session) {
  Verdict verdict;
  if (call.op == Op::kFindInit) {
    PackedTemplate packed(call.attributes);
    verdict.add_if(session.found.has_value(), CKR_OPERATION_ACTIVE);
    reading_faults(call.attributes, model.rules, verdict);
    const auto rv = module_->C_FindObjectsInit(session.handle, packed.data(), packed.size());
    auto difference = answer(call, verdict, rv);
    if (rv == CKR_OK) session.found = model.matching(session.slot, call.attributes);
    return difference;
  }
  verdict.add_if(!session.found, CKR_OPERATION_NOT_INITIALIZED);
  if (call.op == Op::kFindFinal) {
    const auto rv = module_->C_FindObjectsFinal(session.handle);
    if (rv == CKR_OK) session.found.reset();
    return answer(call, verdict, rv);
  }
  const bool null = call.shape == Shape::kNullPointer;
  verdict.add_if(null, CKR_ARGUMENTS_BAD);
  std::vector<CK_OBJECT_HANDLE> out(call.number + 1);
  CK_ULONG count = 0;
  const auto rv =
      module_->C_FindObjects(session.handle, out.data(), call.number, null ? nullptr : &count);
  auto difference = answer(call, verdict, rv);
  if (rv != CKR_OK || !difference.empty()) return difference;
  auto& left = *session.found;
  const auto most = std::min<std::size_t>(call.number, left.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = std::ranges::find(left, out[i]);
    if (at == left.end()) return "an object is found that does not match, or is found twice";
    left.erase(at);
  }
  return count == most ? "" : "the search ends early";
}

std::string Runner::generate_pair(const Call& call, Session& session) {
  PackedTemplate public_template(call.attributes);
  PackedTemplate private_template(call.attributes2);
  PackedMechanism mechanism(call);
  const auto [first, second] = model.plan_pair(call, session);
  CK_OBJECT_HANDLE public_key = 0;
  CK_OBJECT_HANDLE private_key = 0;
  const auto rv = module_->C_GenerateKeyPair(
      session.handle, mechanism.get(), public_template.data(), public_template.size(),
      private_template.data(), private_template.size(), &public_key,
      call.shape == Shape::kNullPointer ? nullptr : &private_key);
  auto difference = answer(call, first.verdict, rv);
  if (rv != CKR_OK || !difference.empty()) return difference;
  for (const auto& [offset, plan, handle] :
       {std::tuple{0U, &first, public_key}, std::tuple{1U, &second, private_key}}) {
    if (auto stale = new_handle(handle); !stale.empty()) return stale;
    const Ref ref = 2 * call.id + offset;
    model.keep(ref, handle, plan->object);
    learn_identity(session.handle, model.objects.at(ref));
  }
  return "";
}

}  // namespace tallystick::model
