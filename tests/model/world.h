// TokenWorld: two tokens with a family, provisioning software and a few keys, made once and copied
// for every list of calls, so that each begins in the same state and no PIN is hashed for nothing.
#pragma once

#include "tests/model/runner.h"
#include "tests/support/scratch.h"

namespace tallystick::model {

inline const Bytes kUserPin = {'u', 's', 'e', 'r', ' ', 'p', 'i', 'n'};
inline const Bytes kSoPin = {'s', 'o', ' ', 'p', 'i', 'n'};

// What calls need besides what the module has given.
struct Given {
  Bytes share_parameter;  // of CKM_TS_OEM_SHARE_GEN
  Template rsa_private;   // a key of 2,048 bits, from outside
  Template rsa_public;
};

class TokenWorld {
 public:
  explicit TokenWorld(const std::string& module_path);
  TokenWorld(const TokenWorld&) = delete;
  TokenWorld& operator=(const TokenWorld&) = delete;
  ~TokenWorld();

  Module& module() { return module_; }
  [[nodiscard]] const Given& given() const { return given_; }
  // The module anew, in the state that every list of calls begins in.
  void begin(Runner& runner, const Rules& rules);

 private:
  void make_token(unsigned slot, Runner& runner);
  void take_family(unsigned slot, CK_SESSION_HANDLE session, Runner& runner);
  void make_keys(unsigned slot, CK_SESSION_HANDLE session, Runner& runner);
  [[nodiscard]] std::filesystem::path home() const { return scratch_.path() / "home"; }
  [[nodiscard]] std::filesystem::path ready() const { return scratch_.path() / "ready"; }

  test::Scratch scratch_;
  Module module_;
  Given given_;
  Model start_;
  std::vector<Bytes> secrets_;
  bool initialized_ = false;
};

}  // namespace tallystick::model
