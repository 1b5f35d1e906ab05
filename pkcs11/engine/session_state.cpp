// Session: saving and restoring what a session has begun (PKCS#11 section 5.6).
#include "pkcs11/engine/saved_states.h"
#include "pkcs11/engine/session_step.h"

namespace tallystick::token {

int Session::active_operations() {
  int count = 0;
  const auto add = [&count](const auto& operation) { count += operation ? 1 : 0; };
  add(active(encrypt_));
  add(active(decrypt_));
  add(active(sign_));
  add(active(verify_));
  add(active(digest_));
  add(active(known_signature_));
  add(active(encrypt_messages_));
  add(active(decrypt_messages_));
  add(active(sign_messages_));
  add(active(verify_messages_));
  return count;
}

Outcome<void> Session::save_state(Output ticket) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  const int operations = active_operations();
  if (operations == 0) return not_initialized();
  if (operations > 1 || digest_.operation == nullptr || digest_.holds_key) {
    return fault(CKR_STATE_UNSAVEABLE, "only digests without keys are saved");
  }
  auto room = ticket.reserve(SavedStates::kTicketSize);
  if (!room) return std::move(room).error();
  if (!*room) return {};
  const auto& services = token_->services();
  return services.saved_states->keep(*services.crypto, token_->slot(), *digest_.operation,
                                     digest_.in_parts, ticket.first(SavedStates::kTicketSize));
}

Outcome<void> Session::restore_state(core::ByteView ticket, CK_OBJECT_HANDLE encryption_key,
                                     CK_OBJECT_HANDLE authentication_key) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  auto state = token_->services().saved_states->restore(token_->slot(), ticket);
  if (!state) return std::move(state).error();
  if (encryption_key != CK_INVALID_HANDLE || authentication_key != CK_INVALID_HANDLE) {
    return fault(CKR_KEY_NOT_NEEDED, "a digest needs no key");
  }
  // What the session was doing gives way to what it was doing then.
  end_operations();
  digest_.operation = std::move(state->operation);
  digest_.in_parts = state->in_parts;
  return {};
}

}  // namespace tallystick::token
