// A token: sessions from a pool, one login for all of them, and a new beginning when what is known
// of it has become stale.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "provider/pin.h"
#include "provider/session.h"

namespace tallystick::provider {

class Token {
 public:
  Token(Module& module, const client::Slot& slot);
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  // Closes the sessions; the login ends with the last of them.
  ~Token();

  [[nodiscard]] Module& module() const { return module_; }
  [[nodiscard]] const CK_TOKEN_INFO& info() const { return info_; }
  // "token <label>", for messages.
  [[nodiscard]] const std::string& name() const { return name_; }

  // With the user logged in where that was so before: a new life begins with the PIN of the last.
  Outcome<Session> session(bool writable = false);
  // Tries one PIN, once. A PIN that this token has refused is not tried again.
  Done login(const PinSource& source, bool may_ask);
  [[nodiscard]] bool wants_login() const { return (info_.flags & CKF_LOGIN_REQUIRED) != 0; }
  [[nodiscard]] bool logged_in() const;
  // The PIN of the login, for keys that ask for it at every use; null where it is not known.
  [[nodiscard]] std::shared_ptr<const core::Secret> pin() const;

  // Whether a failure may come of stale knowledge; then the caller gives its session back and tries
  // once more.
  bool begins_anew(const Life& stale, CK_RV rv);

 private:
  Outcome<std::shared_ptr<Life>> life();
  Outcome<std::shared_ptr<Life>> begin_life();
  Outcome<CK_SESSION_HANDLE> open(const Life& life, CK_FLAGS more) const;
  // Under the life's login lock. A null PIN stands for the token's own keypad.
  Done try_pin(Life& life, const std::shared_ptr<const core::Secret>& pin);
  Done keep_login(Life& life);
  [[nodiscard]] bool refused_before(const core::Secret& pin) const;

  Module& module_;
  CK_TOKEN_INFO info_;
  std::string name_;
  // Under lists_lock(), all of it.
  std::shared_ptr<Life> life_;
  std::shared_ptr<const core::Secret> pin_;
  bool logged_in_once_ = false;
  std::vector<std::shared_ptr<const core::Secret>> refused_;
};

// The tokens that one instance of the provider has met, each once.
class Tokens {
 public:
  std::shared_ptr<Token> at(Module& module, const client::Slot& slot);

 private:
  std::vector<std::shared_ptr<Token>> tokens_;
};

}  // namespace tallystick::provider
