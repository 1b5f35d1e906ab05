#include "tools/cli/terminal.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "tools/cli/file_io.h"

namespace tallystick::cli {
namespace {

// What ends or stops the program from the keyboard or from outside.
sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) sigaddset(&set, number);
  return set;
}

// Echo off. Signals are held back meanwhile and strike when the terminal is as it was: nobody is
// left with a terminal that does not show what he types.
class EchoOff {
 public:
  explicit EchoOff(int fd) : fd_(fd) {
    const sigset_t held = ending_signals();
    pthread_sigmask(SIG_BLOCK, &held, &mask_before_);
    signals_ = FileHandle(::signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK));
    known_ = signals_.open() && tcgetattr(fd_, &before_) == 0;
    if (!known_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(fd_, TCSAFLUSH, &quiet);
  }
  ~EchoOff() {
    if (known_) tcsetattr(fd_, TCSAFLUSH, &before_);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

  // False when `fd` is no terminal.
  [[nodiscard]] bool known() const { return known_; }
  // Waits for something to read; false when a signal came first.
  [[nodiscard]] bool readable() const {
    std::array<pollfd, 2> waited = {{{fd_, POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
    while (::poll(waited.data(), waited.size(), -1) < 0) {
      if (errno != EINTR) return false;
    }
    return waited[1].revents == 0;
  }

 private:
  int fd_;
  FileHandle signals_;
  sigset_t mask_before_{};
  termios before_{};
  bool known_ = false;
};

}  // namespace

Outcome<core::Secret> ask_unseen(int fd, const std::string& prompt, std::size_t most) {
  const EchoOff echo(fd);
  if (!echo.known()) return token_failure(prompt, "there is no terminal to ask on");
  const std::string question = printable(prompt) + ": ";
  if (::write(fd, question.data(), question.size()) < 0) {
    return token_failure(prompt, "the terminal does not answer");
  }
  core::Secret line(most);
  std::size_t used = 0;
  bool interrupted = false;
  while (used < line.size()) {
    interrupted = !echo.readable();
    if (interrupted || ::read(fd, &line.span()[used], 1) != 1 || line.view()[used] == '\n') break;
    ++used;
  }
  static_cast<void>(!::write(fd, "\n", 1));
  if (interrupted) return Failure{Exit::kPartial, prompt, "interrupted", ""};
  line.truncate(used);
  return line;
}

}  // namespace tallystick::cli
