// Token: the PIN once more, for keys that want it for each operation (PKCS#11 section 4.9,
// CKA_ALWAYS_AUTHENTICATE).
#include "pkcs11/engine/token.h"

namespace tallystick::token {

Outcome<void> Token::authenticate(core::ByteView pin) {
  const Lock login_lock(login_mutex_);
  // Another process may have begun a new life for the user; then this is nobody's PIN here.
  if (auto seen = refresh(); !seen) return seen;
  if (login_state() != Login::kUser) return not_logged_in();
  auto* const files = opened();
  if (files == nullptr) return not_logged_in();
  auto right = check_pin(*files, PinRole::kUser, pin);
  if (right) return {};
  if (right.error().rv == CKR_PIN_LOCKED) {
    const Lock lock(mutex_);
    end_login();
  }
  return std::move(right).error();
}

}  // namespace tallystick::token
