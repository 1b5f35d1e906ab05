// Module: a PKCS#11 module loaded as applications load it, with a token of its own in it and its
// user logged in. Everything a benchmark asks of it goes through C_* functions.
#pragma once

#include <memory>
#include <string>

#include "tests/bench/attributes.h"

namespace tallystick::bench {

inline constexpr std::string_view kPin = "1234";
inline constexpr std::string_view kTokenLabel = "bench";

// Ends the program with a message when something that is not measured goes wrong.
[[noreturn]] void stop(const std::string& message);
void must(CK_RV rv, const char* what);

// The function list of a module file; null when there is no such file. It stays loaded.
CK_FUNCTION_LIST* load_functions(const std::string& path);
// Takes CKR_CRYPTOKI_ALREADY_INITIALIZED for success.
void initialize_module(CK_FUNCTION_LIST& functions);
// The slot that holds the token of this label.
CK_SLOT_ID slot_of(CK_FUNCTION_LIST& functions, std::string_view label);

struct Pair {
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
};

class Module {
 public:
  // Loads, initialises, makes the token and logs in; null when the module is not on this machine.
  static std::unique_ptr<Module> start(const std::string& path);
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();

  [[nodiscard]] CK_FUNCTION_LIST& call() const { return *functions_; }
  [[nodiscard]] CK_SLOT_ID slot() const { return slot_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool offers(CK_MECHANISM_TYPE mechanism, CK_FLAGS flags) const;

  [[nodiscard]] CK_SESSION_HANDLE open_session() const;
  [[nodiscard]] Pair p256_pair(CK_SESSION_HANDLE session, bool on_token) const;
  [[nodiscard]] Pair rsa_pair(CK_SESSION_HANDLE session) const;
  // A sensitive AES-256 key of the token with these two uses.
  [[nodiscard]] CK_OBJECT_HANDLE aes_key(CK_SESSION_HANDLE session, CK_ATTRIBUTE_TYPE use,
                                         CK_ATTRIBUTE_TYPE other_use) const;
  // Fills the token with private AES keys labelled "object 0" and on until there are this many.
  void fill(std::size_t wanted);
  [[nodiscard]] CK_OBJECT_HANDLE create_key(CK_SESSION_HANDLE session,
                                            std::string_view label) const;

 private:
  Module(std::string path, CK_FUNCTION_LIST* functions)
      : path_(std::move(path)), functions_(functions) {}
  void make_token();

  std::string path_;
  CK_FUNCTION_LIST* functions_;
  CK_SLOT_ID slot_ = 0;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;  // keeps the login
  std::size_t filled_ = 0;
};

std::string object_label(std::size_t number);

}  // namespace tallystick::bench
