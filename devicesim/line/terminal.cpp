#include "devicesim/line/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "devicesim/new_file.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Result;

Result<Terminal> Terminal::open() {
  const auto failed = [](const char* what) { return file_error("/dev/ptmx", what, errno); };
  Terminal terminal;
  terminal.master = Descriptor(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!terminal.master.open()) return failed("cannot open a pseudo-terminal");
  std::array<char, 128> name{};
  if (::grantpt(terminal.master.get()) != 0 || ::unlockpt(terminal.master.get()) != 0 ||
      ::ptsname_r(terminal.master.get(), name.data(), name.size()) != 0) {
    return failed("cannot set a pseudo-terminal up");
  }
  terminal.path = name.data();
  terminal.slave = Descriptor(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.slave.open()) return file_error(terminal.path, "cannot open", errno);
  termios settings{};
  if (::tcgetattr(terminal.slave.get(), &settings) != 0) {
    return file_error(terminal.path, "cannot read the settings", errno);
  }
  ::cfmakeraw(&settings);
  if (::tcsetattr(terminal.slave.get(), TCSANOW, &settings) != 0) {
    return file_error(terminal.path, "cannot make it raw", errno);
  }
  return terminal;
}

Result<Link> Link::create(const std::string& target, const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::is_symlink(path, ignored) && !fs::exists(path, ignored) &&
      fs::read_symlink(path, ignored).string().starts_with("/dev/pts/")) {
    fs::remove(path, ignored);
  }
  if (::symlink(target.c_str(), path.c_str()) == 0) return Link(target, path);
  if (errno != EEXIST) return file_error(path, "cannot make the link", errno);
  return Error{ErrorCode::kStorage,
               path + ": is there already; remove it if no other server serves the part"};
}

Link::Link(Link&& other) noexcept
    : target_(std::move(other.target_)), path_(std::exchange(other.path_, {})) {}

Link& Link::operator=(Link&& other) noexcept {
  std::swap(target_, other.target_);
  std::swap(path_, other.path_);
  return *this;
}

Link::~Link() {
  if (path_.empty()) return;
  std::error_code error;
  if (std::filesystem::read_symlink(path_, error).string() != target_ || error) return;
  std::filesystem::remove(path_, error);
}

}  // namespace tallystick::device
