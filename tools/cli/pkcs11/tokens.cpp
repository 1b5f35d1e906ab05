#include "tools/cli/pkcs11/tokens.h"

#include "tools/cli/pin.h"
#include "tools/cli/pkcs11/rv.h"

namespace tallystick::cli {
namespace {

Outcome<Slot> slot_of(const Module& module, const Uri& uri) {
  auto slots = module.slots();
  if (!slots) return std::move(slots).error();
  std::vector<Slot> matching;
  std::optional<Slot> silent;
  for (const Slot& slot : *slots) {
    if (uri.slot_id() && *uri.slot_id() != slot.id) continue;
    if (slot.answer != CKR_OK) silent = slot;
    if (slot.initialised() && uri.matches(slot.token)) matching.push_back(slot);
  }
  if (matching.empty() && silent) {
    // It may be the one that is meant.
    return from_rv(uri.text() + ", slot " + std::to_string(silent->id), silent->answer);
  }
  if (matching.empty()) {
    return token_failure(uri.text(), "no such token in " + module.path(),
                         "`tallystick token list` shows what is there");
  }
  if (matching.size() > 1) {
    return token_failure(uri.text(), std::to_string(matching.size()) + " tokens match",
                         "name one by token=LABEL or serial=NUMBER in the URI");
  }
  return matching.front();
}

}  // namespace

Outcome<Session> open_token(Environment& env, const std::string& uri, Access access) {
  auto parsed = parse_uri(uri.empty() ? "pkcs11:" : uri);
  if (!parsed) return std::move(parsed).error();
  return open_token(env, *parsed, access);
}

Outcome<Session> open_token(Environment& env, const Uri& uri, Access access) {
  auto module = env.modules.for_uri(uri);
  if (!module) return std::move(module).error();
  auto slot = slot_of(**module, uri);
  if (!slot) return std::move(slot).error();
  auto session = Session::open(*module, *slot, access.writable);
  if (!session || !access.login) return session;
  if (auto done = log_in(env, uri, *session); !done) return std::move(done).error();
  return session;
}

Outcome<core::Secret> user_pin(Environment& env, const Uri& uri, const Session& session) {
  if (const auto value = uri.pin_value()) return core::Secret::copy_of(core::bytes_of(*value));
  const std::string source = uri.pin_source().empty() ? env.pin_source : uri.pin_source();
  return find_pin(source, kUserPin, "PIN of " + session.name());
}

Done log_in(Environment& env, const Uri& uri, Session& session) {
  const CK_FLAGS flags = session.slot().token.flags;
  if ((flags & CKF_LOGIN_REQUIRED) == 0 || session.logged_in()) return {};
  if ((flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0) return session.login(CKU_USER, {});
  auto pin = user_pin(env, uri, session);
  if (!pin) return std::move(pin).error();
  return session.login(CKU_USER, pin->view());
}

}  // namespace tallystick::cli
