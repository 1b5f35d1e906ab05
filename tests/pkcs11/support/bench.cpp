#include "tests/pkcs11/support/bench.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "tests/pkcs11/support/ready_tokens.h"

namespace tallystick::test {
namespace {

std::string padded(std::string label) {
  label.resize(32, ' ');
  return label;
}

int exit_status(int pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) throw std::runtime_error("waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

}  // namespace

Home::Home() {
  configure("");
  (void)setenv("TALLYSTICK_HOME", path().c_str(), 1);
  (void)setenv("TALLYSTICK_CONF", settings().c_str(), 1);
}
Home::~Home() {
  (void)unsetenv("TALLYSTICK_HOME");
  (void)unsetenv("TALLYSTICK_CONF");
}

void Home::configure(std::string_view text) const {
  write_file(settings(), core::bytes_of(text));
  // Whatever the umask of a test: a file that others may write to is refused.
  std::filesystem::permissions(
      settings(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

std::vector<std::string> Home::files_named(const std::string& name) const {
  std::vector<std::string> found;
  if (!std::filesystem::exists(path())) return found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path())) {
    if (entry.path().filename() == name) found.push_back(entry.path().string());
  }
  std::ranges::sort(found);
  return found;
}

CK_RV init_token(CK_FUNCTION_LIST* functions, CK_SLOT_ID slot, const std::string& so_pin,
                 const std::string& label) {
  auto pin = so_pin;
  auto name = padded(label);
  return functions->C_InitToken(slot, text_pointer(pin), pin.size(), text_pointer(name));
}

CK_SLOT_ID make_token(const Module& module, const std::string& label) {
  const auto slot = module.free_slot();
  must(init_token(module.functions(), slot, kSoPin, label));
  Session session(module.functions(), slot);
  must(session.login(CKU_SO, kSoPin));
  must(session.init_pin(kUserPin));
  must(session.logout());
  return slot;
}

CK_SLOT_ID slot_of(const Module& module, const std::string& label) {
  const auto wanted = padded(label);
  for (const auto slot : module.slots()) {
    CK_TOKEN_INFO info{};  // a slot may hold a token that is damaged
    if (module->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
    if (std::equal(wanted.begin(), wanted.end(), std::begin(info.label))) return slot;
  }
  throw std::runtime_error("no token labelled " + label);
}

Bench::Bench() : module_(std::make_unique<Module>()) { initialize(); }

Bench::~Bench() {
  if (initialized_) (void)(*module_)->C_Finalize(nullptr);
}

void Bench::initialize() {
  must((*module_)->C_Initialize(nullptr));
  initialized_ = true;
}

void Bench::finalize() {
  must((*module_)->C_Finalize(nullptr));
  initialized_ = false;
}

void Bench::restart() {
  finalize();
  initialize();
}

TestToken::TestToken() {
  const auto ready = take_ready_token(module(), home());
  slot_ = ready ? *ready : make_token(module());
  open_and_login();
}

void TestToken::open_and_login() {
  session_.emplace(functions(), slot_);
  must(session_->login(CKU_USER, kUserPin));
}

void TestToken::restart_and_login() {
  session_.reset();
  restart();
  slot_ = slot_of(module(), "test");
  open_and_login();
}

int in_child(const std::function<int()>& work) {
  const int pid = fork();
  if (pid < 0) throw std::runtime_error("fork");
  if (pid == 0) {
    int status = 199;
    try {
      status = work();
    } catch (const std::exception& error) {
      (void)std::fprintf(stderr, "child: %s\n", error.what());
    }
    _exit(status);
  }
  return exit_status(pid);
}

Child::Child(const std::function<int(int in, int out)>& work) {
  std::array<int, 2> down{};
  std::array<int, 2> up{};
  if (pipe(down.data()) != 0 || pipe(up.data()) != 0) throw std::runtime_error("pipe");
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) {
    (void)close(down[1]);
    (void)close(up[0]);
    int status = 199;
    try {
      status = work(down[0], up[1]);
    } catch (const std::exception& error) {
      (void)std::fprintf(stderr, "child: %s\n", error.what());
    }
    _exit(status);
  }
  (void)close(down[0]);
  (void)close(up[1]);
  to_child_ = down[1];
  from_child_ = up[0];
}

Child::~Child() {
  (void)close(to_child_);
  (void)close(from_child_);
  if (pid_ > 0) {
    (void)::kill(pid_, SIGKILL);
    (void)exit_status(pid_);
  }
}

std::string Child::receive(std::size_t most) {
  std::string out(most, '\0');
  const auto got = read(from_child_, out.data(), most);
  out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return out;
}

void Child::send(char byte) { write_byte(to_child_, byte); }

void Child::kill() { (void)::kill(pid_, SIGKILL); }

int Child::wait() {
  const int pid = pid_;
  pid_ = -1;
  return exit_status(pid);
}

bool read_byte(int fd, char& byte) { return read(fd, &byte, 1) == 1; }

void write_byte(int fd, char byte) {
  if (write(fd, &byte, 1) != 1) throw std::runtime_error("pipe");
}

}  // namespace tallystick::test
