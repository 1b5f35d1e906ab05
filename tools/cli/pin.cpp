#include "tools/cli/pin.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>

#include "tools/cli/file_io.h"

namespace tallystick::cli {
namespace {

constexpr std::string_view kFilePrefix = "file:";
constexpr std::string_view kEnvironmentPrefix = "env:";
const char* const kAdvice = "give --pin-source file:PATH or env:NAME, or set TALLYSTICK_PIN";

// Puts the terminal back as it was, on every way out.
class EchoOff {
 public:
  explicit EchoOff(int fd) : fd_(fd), known_(tcgetattr(fd, &before_) == 0) {
    if (!known_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(fd_, TCSAFLUSH, &quiet);
  }
  ~EchoOff() {
    if (known_) tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
  [[nodiscard]] bool known() const { return known_; }

 private:
  int fd_;
  termios before_{};
  bool known_;
};

Outcome<core::Secret> checked(core::Secret pin, const std::string& where) {
  if (pin.empty()) return token_failure(where, "the PIN is empty", kAdvice);
  if (pin.size() > kMostPinBytes) return token_failure(where, "the PIN is too long");
  return pin;
}

}  // namespace

Outcome<core::Secret> pin_from_environment(const std::string& name) {
  const char* value = ::secure_getenv(name.c_str());
  if (value == nullptr) return token_failure("PIN", "$" + name + " is not set", kAdvice);
  return checked(core::Secret::copy_of(core::bytes_of(value)), "$" + name);
}

Outcome<core::Secret> pin_from_source(const std::string& source) {
  if (source.starts_with(kEnvironmentPrefix)) {
    return pin_from_environment(source.substr(kEnvironmentPrefix.size()));
  }
  const std::string path =
      source.starts_with(kFilePrefix) ? source.substr(kFilePrefix.size()) : source;
  if (path.empty() || path.front() == '|') {
    return usage_failure("PIN source " + source, "neither file:PATH nor env:NAME");
  }
  auto pin = read_secret_file(path, kMostPinBytes + 2);
  if (!pin) return std::move(pin).error();
  std::size_t size = pin->size();
  if (size > 0 && pin->view()[size - 1] == '\n') --size;
  if (size > 0 && size < pin->size() && pin->view()[size - 1] == '\r') --size;
  pin->truncate(size);
  return checked(*std::move(pin), path);
}

Outcome<core::Secret> ask_for_pin(const std::string& prompt) {
  const FileHandle terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.open()) return token_failure(prompt, "no PIN, and no terminal to ask on", kAdvice);
  const EchoOff echo(terminal.get());
  if (!echo.known()) return token_failure(prompt, "no PIN, and no terminal to ask on", kAdvice);
  const std::string question = printable(prompt) + ": ";
  if (::write(terminal.get(), question.data(), question.size()) < 0) {
    return token_failure(prompt, "the terminal does not answer", kAdvice);
  }
  core::Secret line(kMostPinBytes + 2);
  std::size_t used = 0;
  while (used < line.size() && ::read(terminal.get(), &line.span()[used], 1) == 1 &&
         line.view()[used] != '\n') {
    ++used;
  }
  line.truncate(used);
  static_cast<void>(!::write(terminal.get(), "\n", 1));
  return checked(std::move(line), prompt);
}

Outcome<core::Secret> find_pin(const std::string& source, const std::string& variable,
                               const std::string& prompt) {
  if (!source.empty()) return pin_from_source(source);
  if (::secure_getenv(variable.c_str()) != nullptr) return pin_from_environment(variable);
  return ask_for_pin(prompt);
}

}  // namespace tallystick::cli
