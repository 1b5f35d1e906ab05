// The model: sessions, login and PINs.
#include "tests/model/model.h"

namespace tallystick::model {
namespace {

constexpr std::size_t kShortestPin = 4;
constexpr std::size_t kLongestPin = 255;

bool fits_as_pin(const Bytes& pin) {
  return pin.size() >= kShortestPin && pin.size() <= kLongestPin;
}

}  // namespace

Verdict Model::expect_open(const Call& call) const {
  Verdict verdict;
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  verdict.add_if((call.number & CKF_SERIAL_SESSION) == 0, CKR_SESSION_PARALLEL_NOT_SUPPORTED);
  if (call.slot >= kTokens) {
    verdict.add(CKR_SLOT_ID_INVALID);
  } else {
    verdict.add_if(on(Rule::kSoIsReadWrite) && tokens.at(call.slot).login == Login::kSo &&
                       (call.number & CKF_RW_SESSION) == 0,
                   CKR_SESSION_READ_WRITE_SO_EXISTS);
  }
  return verdict;
}

void Model::did_open(const Call& call, CK_SESSION_HANDLE handle) {
  Session session;
  session.ref = call.id;
  session.handle = handle;
  session.slot = static_cast<unsigned>(call.slot);
  session.read_write = (call.number & CKF_RW_SESSION) != 0;
  sessions[call.id] = std::move(session);
}

void Model::did_close(Ref ref) {
  const auto at = sessions.find(ref);
  const unsigned slot = at->second.slot;
  sessions.erase(at);
  std::vector<Ref> ending;
  for (const auto& [own, object] : objects) {
    if (object.session == ref && on(Rule::kSessionObjectsEnd)) ending.push_back(own);
  }
  for (const auto own : ending) forget(own);
  bool last = true;
  for (const auto& [other, session] : sessions) last = last && session.slot != slot;
  if (last && on(Rule::kLastSessionLogsOut)) did_logout(slot);
}

CK_STATE Model::state(const Session& session) const {
  switch (tokens.at(session.slot).login) {
    case Login::kUser:
      return session.read_write ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
    case Login::kSo:
      return CKS_RW_SO_FUNCTIONS;
    case Login::kNobody:
      break;
  }
  return session.read_write ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
}

Verdict Model::expect_login(const Call& call, const Session& session) const {
  Verdict verdict;
  const auto& token = tokens.at(session.slot);
  if (call.shape == Shape::kNullPointer) {
    verdict.add(CKR_ARGUMENTS_BAD);
    return verdict;
  }
  if (call.number == CKU_CONTEXT_SPECIFIC) {
    bool waiting = false;
    for (const auto& [use, one] : session.operations) waiting = waiting || one.wants_pin;
    verdict.add_if(!waiting, CKR_OPERATION_NOT_INITIALIZED);
    if (!waiting) return verdict;
    verdict.add_if(token.user_tries >= kMostTries, CKR_PIN_LOCKED);
    if (verdict.clean()) verdict.add_if(call.bytes != token.user_pin, CKR_PIN_INCORRECT);
    return verdict;
  }
  if (call.number != CKU_USER && call.number != CKU_SO) {
    verdict.add(CKR_USER_TYPE_INVALID);
    return verdict;
  }
  const auto wanted = call.number == CKU_SO ? Login::kSo : Login::kUser;
  if (token.login != Login::kNobody) {
    verdict.add(token.login == wanted ? CKR_USER_ALREADY_LOGGED_IN
                                      : CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
    return verdict;
  }
  if (wanted == Login::kSo && on(Rule::kSoIsReadWrite)) {
    for (const auto& [ref, other] : sessions) {
      verdict.add_if(other.slot == session.slot && !other.read_write, CKR_SESSION_READ_ONLY_EXISTS);
    }
  }
  if (!verdict.clean()) return verdict;
  const bool so = wanted == Login::kSo;
  verdict.add_if((so ? token.so_tries : token.user_tries) >= kMostTries, CKR_PIN_LOCKED);
  if (verdict.clean()) {
    verdict.add_if(call.bytes != (so ? token.so_pin : token.user_pin), CKR_PIN_INCORRECT);
  }
  return verdict;
}

void Model::did_login(const Call& call, Session& session, CK_RV rv) {
  auto& token = tokens.at(session.slot);
  auto& tries = call.number == CKU_SO ? token.so_tries : token.user_tries;
  const bool counted = on(Rule::kTriesCount);
  if (rv == CKR_PIN_INCORRECT && counted) ++tries;
  if (rv == CKR_OK) tries = 0;
  if (call.number == CKU_CONTEXT_SPECIFIC) {
    Operation* latest = nullptr;
    for (auto& [use, one] : session.operations) {
      if (one.wants_pin && (latest == nullptr || one.order > latest->order)) latest = &one;
    }
    if (rv == CKR_OK && latest != nullptr) latest->wants_pin = false;
    if (rv == CKR_PIN_LOCKED || (rv == CKR_PIN_INCORRECT && tries >= kMostTries)) {
      did_logout(session.slot);
    }
    return;
  }
  if (rv == CKR_OK) token.login = call.number == CKU_SO ? Login::kSo : Login::kUser;
}

void Model::did_logout(unsigned slot) {
  auto& token = tokens.at(slot);
  if (token.login == Login::kNobody) return;
  token.login = Login::kNobody;
  std::vector<Ref> ending;
  for (auto& [ref, object] : objects) {
    if (object.slot != slot || !object.flag(CKA_PRIVATE)) continue;
    if (!object.on_token()) {
      ending.push_back(ref);
    } else if (object.handle != 0 && on(Rule::kLogoutEndsHandles)) {
      // Whoever logs in next sees it under another one.
      gone[ref] = object.handle;
      object.handle = 0;
    }
  }
  for (const auto ref : ending) forget(ref);
  if (!on(Rule::kLogoutEndsOperations)) return;
  for (auto& [ref, session] : sessions) {
    if (session.slot != slot) continue;
    std::erase_if(session.operations, [](const auto& one) { return one.second.ends_with_login; });
  }
}

Verdict Model::expect_init_pin(const Call& call, const Session& session) const {
  Verdict verdict;
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  verdict.add_if(tokens.at(session.slot).login != Login::kSo, CKR_USER_NOT_LOGGED_IN);
  verdict.add_if(call.shape != Shape::kNullPointer && !fits_as_pin(call.bytes), CKR_PIN_LEN_RANGE);
  return verdict;
}

// What the old PIN sealed goes with it (A43).
void Model::did_init_pin(const Call& call, const Session& session) {
  auto& token = tokens.at(session.slot);
  token.user_pin = call.bytes;
  token.user_tries = 0;
  std::vector<Ref> ending;
  for (const auto& [ref, object] : objects) {
    const bool stays = object.managed == Managed::kDevice || object.managed == Managed::kFamily ||
                       object.managed == Managed::kFixed;
    if (object.slot == session.slot && object.on_token() && object.flag(CKA_PRIVATE) && !stays) {
      ending.push_back(ref);
    }
  }
  for (const auto ref : ending) forget(ref);
}

Verdict Model::expect_set_pin(const Call& call, const Session& session) const {
  Verdict verdict;
  const auto& token = tokens.at(session.slot);
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  verdict.add_if(!session.read_write && on(Rule::kReadOnlySession), CKR_SESSION_READ_ONLY);
  verdict.add_if(!fits_as_pin(call.more), CKR_PIN_LEN_RANGE);
  if (!verdict.clean()) return verdict;
  const bool so = token.login == Login::kSo;
  verdict.add_if((so ? token.so_tries : token.user_tries) >= kMostTries, CKR_PIN_LOCKED);
  if (verdict.clean()) {
    verdict.add_if(call.bytes != (so ? token.so_pin : token.user_pin), CKR_PIN_INCORRECT);
  }
  return verdict;
}

void Model::did_set_pin(const Call& call, const Session& session, CK_RV rv) {
  auto& token = tokens.at(session.slot);
  const bool so = token.login == Login::kSo;
  auto& tries = so ? token.so_tries : token.user_tries;
  if (rv == CKR_PIN_INCORRECT && on(Rule::kTriesCount)) ++tries;
  if (rv != CKR_OK) return;
  tries = 0;
  (so ? token.so_pin : token.user_pin) = call.more;
}

}  // namespace tallystick::model
