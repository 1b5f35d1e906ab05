// Token: the module in this process with a copy of the seed token, the user logged in. The token
// has a key of every kind, each with fixed bytes, so that what was wrapped or signed for a corpus
// stays good; the maker of the corpus made it. Targets work in sessions of their own, and what they
// leave behind is taken away: an input never meets what an earlier one did.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <p11-kit/pkcs11.h>

#include "core/base/bytes.h"
#include "tallystick/pkcs11_v3.h"
#include "tests/fuzz/support/token_names.h"

namespace tallystick::fuzz {

class Token {
 public:
  Token();
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  ~Token();

  [[nodiscard]] CK_FUNCTION_LIST_3_2* operator->() const { return functions_; }
  [[nodiscard]] CK_SLOT_ID slot() const { return slot_; }
  // In the order of kSeedKeys; never 0.
  [[nodiscard]] const std::vector<CK_OBJECT_HANDLE>& keys() const { return keys_; }
  [[nodiscard]] CK_OBJECT_HANDLE key(std::string_view label, CK_OBJECT_CLASS object_class) const;

  // What an input made. Token objects that cannot be destroyed stay; before they are too many the
  // seed is put back.
  void forget(std::span<const CK_OBJECT_HANDLE> made);

 private:
  void start();
  void stop();

  CK_FUNCTION_LIST_3_2* functions_ = nullptr;
  CK_SLOT_ID slot_ = 0;
  CK_SESSION_HANDLE base_ = 0;  // holds the login
  std::vector<CK_OBJECT_HANDLE> keys_;
  std::size_t left_behind_ = 0;
};

// One for the process.
Token& token();

// A session for one input; closes itself, with what is going on in it and its session objects.
class Session {
 public:
  Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  [[nodiscard]] CK_SESSION_HANDLE handle() const { return handle_; }
  // Notes an object that came to be; 0 is none.
  void made(CK_OBJECT_HANDLE object) {
    if (object != 0) made_.push_back(object);
  }

 private:
  CK_SESSION_HANDLE handle_ = 0;
  std::vector<CK_OBJECT_HANDLE> made_;
};

// Puts the seed token into a home folder as the module expects it there.
void copy_seed_token(const std::string& home);

}  // namespace tallystick::fuzz
