// Bench: a module of its own for one test, with a home folder of its own, initialised. TestToken: a
// bench with one token on it and a session in which the user is logged in.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tests/pkcs11/support/session.h"
#include "tests/support/scratch.h"

namespace tallystick::test {

inline constexpr const char* kSoPin = "the SO's own PIN";
inline constexpr const char* kUserPin = "the user's PIN";

// Points $TALLYSTICK_HOME to a new folder for as long as it lives, and $TALLYSTICK_CONF to a file
// of its own, empty at first, so that the settings of the machine have no say.
class Home {
 public:
  Home();
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  ~Home();

  [[nodiscard]] std::string path() const { return scratch_.file("home"); }
  [[nodiscard]] std::string settings() const { return scratch_.file("tallystick.toml"); }
  // What C_Initialize reads next.
  void configure(std::string_view text) const;
  // token.db and root.key of every token, in the order of their folders.
  [[nodiscard]] std::vector<std::string> databases() const { return files_named("token.db"); }
  [[nodiscard]] std::vector<std::string> root_keys() const { return files_named("root.key"); }

 private:
  [[nodiscard]] std::vector<std::string> files_named(const std::string& name) const;
  Scratch scratch_;
};

// C_InitToken in `slot` with this label; the SO's PIN is kSoPin.
CK_RV init_token(CK_FUNCTION_LIST* functions, CK_SLOT_ID slot, const std::string& so_pin,
                 const std::string& label);
// A new token in a free slot, with both PINs.
CK_SLOT_ID make_token(const Module& module, const std::string& label = "test");
// The slot of the token with this label.
CK_SLOT_ID slot_of(const Module& module, const std::string& label);

class Bench {
 public:
  Bench();
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench();

  [[nodiscard]] const Home& home() const { return home_; }
  [[nodiscard]] const Module& module() const { return *module_; }
  [[nodiscard]] CK_FUNCTION_LIST* functions() const { return module_->functions(); }
  // C_Finalize and C_Initialize: what a new run of the program sees.
  void restart();
  // For tests that end the module themselves.
  void finalize();
  void initialize();

 private:
  Home home_;
  std::unique_ptr<Module> module_;
  bool initialized_ = false;
};

class TestToken : public Bench {
 public:
  TestToken();

  [[nodiscard]] CK_SLOT_ID slot() const { return slot_; }
  [[nodiscard]] Session& session() { return *session_; }
  [[nodiscard]] CK_FUNCTION_LIST* operator->() const { return functions(); }
  [[nodiscard]] CK_SESSION_HANDLE handle() const { return session_->handle(); }
  // The module anew, the user logged in again.
  void restart_and_login();
  void close_session() { session_.reset(); }
  void open_and_login();

 private:
  CK_SLOT_ID slot_ = 0;
  std::optional<Session> session_;
};

// Runs in a forked process and gives its exit status: what `work` returns, or 256 plus the signal.
// A test's assertions do not reach the parent; `work` returns 0 when all was well.
int in_child(const std::function<int()>& work);

// A forked process that the parent talks to over a pair of pipes, a byte a message.
class Child {
 public:
  // `work` gets the child's ends: bytes it writes to `out` are what receive() gives.
  explicit Child(const std::function<int(int in, int out)>& work);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  // The next bytes, up to `most`; empty at the end of the stream.
  std::string receive(std::size_t most = 1);
  void send(char byte);
  void kill();
  // Exit status as of in_child().
  int wait();

 private:
  int pid_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
};
// For the child's side: one byte, blocking. False at the end of the stream.
bool read_byte(int fd, char& byte);
void write_byte(int fd, char byte);

}  // namespace tallystick::test
