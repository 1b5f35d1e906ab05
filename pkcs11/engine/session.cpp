#include "pkcs11/engine/session.h"

#include <openssl/rand.h>

#include "core/crypto/crypto.h"

namespace tallystick::token {

Session::Session(CK_SESSION_HANDLE handle, std::shared_ptr<Token> token, bool read_write)
    : handle_(handle), token_(std::move(token)), read_write_(read_write) {}

Session::~Session() = default;

void Session::close() {
  {
    const Lock lock(mutex_);
    if (closed_) return;
    closed_ = true;
    end_operations();
    found_.clear();
  }
  // What is being kept at this moment is taken back by who keeps it (store_here).
  if (owns_objects_) token_->objects().remove_session(handle_);
  token_->session_closed(read_write_);
}

Outcome<void> Session::open_check() const {
  if (closed_) return fault(CKR_SESSION_HANDLE_INVALID, "the session was closed");
  return {};
}

CK_STATE Session::state() const {
  switch (token_->login_state()) {
    case Login::kUser:
      return read_write_ ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
    case Login::kSo:
      return CKS_RW_SO_FUNCTIONS;
    case Login::kNone:
      break;
  }
  return read_write_ ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
}

Caller Session::caller() const {
  const auto login = token_->login_state();
  return {login == Login::kUser, login == Login::kSo, read_write_};
}

Outcome<void> Session::login(CK_USER_TYPE user, core::ByteView pin) {
  if (user == CKU_CONTEXT_SPECIFIC) return login_for_operation(pin);
  return token_->login(user, pin);
}

Outcome<void> Session::logout() { return token_->logout(); }

Outcome<void> Session::init_pin(core::ByteView pin) {
  if (token_->login_state() != Login::kSo) return not_logged_in();
  return token_->init_pin(pin);
}

Outcome<void> Session::set_pin(core::ByteView old_pin, core::ByteView new_pin) {
  if (!read_write_) return fault(CKR_SESSION_READ_ONLY, "the session is read-only");
  return token_->set_pin(token_->login_state() == Login::kSo, old_pin, new_pin);
}

Outcome<void> Session::cancel(CK_FLAGS flags) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  if ((flags & CKF_ENCRYPT) != 0) encrypt_ = {};
  if ((flags & CKF_DECRYPT) != 0) decrypt_ = {};
  if ((flags & CKF_SIGN) != 0) sign_ = {};
  if ((flags & CKF_VERIFY) != 0) {
    verify_ = {};
    known_signature_ = {};
  }
  if ((flags & CKF_DIGEST) != 0) digest_ = {};
  if ((flags & CKF_MESSAGE_ENCRYPT) != 0) encrypt_messages_ = {};
  if ((flags & CKF_MESSAGE_DECRYPT) != 0) decrypt_messages_ = {};
  if ((flags & CKF_MESSAGE_SIGN) != 0) sign_messages_ = {};
  if ((flags & CKF_MESSAGE_VERIFY) != 0) verify_messages_ = {};
  if ((flags & CKF_FIND_OBJECTS) != 0) {
    finding_ = false;
    found_.clear();
  }
  return {};
}

void Session::end_operations() {
  encrypt_ = {};
  decrypt_ = {};
  sign_ = {};
  verify_ = {};
  digest_ = {};
  known_signature_ = {};
  encrypt_messages_ = {};
  decrypt_messages_ = {};
  sign_messages_ = {};
  verify_messages_ = {};
}

Outcome<ObjectPtr> Session::object(CK_OBJECT_HANDLE handle, CK_RV rv) {
  if (auto seen = token_->refresh(); !seen) return std::move(seen).error();
  auto found = token_->objects().get(handle);
  if (!found || !token_->visible(*found)) return fault(rv, "no such object");
  return found;
}

Outcome<void> Session::random(core::MutableByteView out) {
  if (auto filled = token_->services().crypto->random(out); !filled) {
    return fault(CKR_FUNCTION_FAILED, filled.error().message);
  }
  return {};
}

// Mixed in, never counted as randomness (A50).
Outcome<void> Session::seed_random(core::ByteView seed) {
  constexpr std::size_t kLargestSeed = 1U << 16;
  if (seed.size() > kLargestSeed) return bad_arguments("a seed that is too long");
  auto* const lib = token_->services().crypto->lib();
  for (auto* const generator : {RAND_get0_public(lib), RAND_get0_private(lib)}) {
    if (generator == nullptr ||
        EVP_RAND_reseed(generator, 0, nullptr, 0, seed.data(), seed.size()) != 1) {
      return crypto_failed("the random generator takes no seed");
    }
  }
  return {};
}

}  // namespace tallystick::token
