#include "tools/station/port.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <set>

namespace tallystick::station {

using cli::Done;
using cli::file_failure;
using cli::from_errno;
using cli::Outcome;

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTcp = "tcp:";

constexpr std::array<std::pair<unsigned, speed_t>, 12> kSpeeds = {{{9600, B9600},
                                                                   {19200, B19200},
                                                                   {38400, B38400},
                                                                   {57600, B57600},
                                                                   {115200, B115200},
                                                                   {230400, B230400},
                                                                   {460800, B460800},
                                                                   {921600, B921600},
                                                                   {1000000, B1000000},
                                                                   {1500000, B1500000},
                                                                   {2000000, B2000000},
                                                                   {3000000, B3000000}}};

speed_t speed_of(unsigned baud) {
  const auto* const found = std::ranges::find(kSpeeds, baud, &std::pair<unsigned, speed_t>::first);
  return found == kSpeeds.end() ? B115200 : found->second;
}

// 127.x.y.z:PORT behind "tcp:"; nothing for any other text.
std::optional<sockaddr_in> loopback_address(std::string_view name) {
  if (!name.starts_with(kTcp)) return std::nullopt;
  name.remove_prefix(kTcp.size());
  const auto colon = name.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string host(name.substr(0, colon));
  if (host == "localhost") host = "127.0.0.1";
  const auto digits = name.substr(colon + 1);
  std::uint16_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || port == 0 ||
      ::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1 ||
      (ntohl(address.sin_addr.s_addr) >> 24U) != 127) {
    return std::nullopt;
  }
  address.sin_port = htons(port);
  return address;
}

bool is_pattern(const std::string& place) {
  return place.find_first_of("*?[") != std::string::npos;
}

bool is_terminal(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode);
}

// /dev/pts/N: their flags outlive whoever set them.
bool is_pseudo(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return false;
  const auto number = major(status.st_rdev);
  return number >= 136 && number <= 143;
}

void add_folder(const std::string& folder, std::set<std::string>& found) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const auto path = entry->path();
    if (path.filename().string().front() != '.' && is_terminal(path.string())) {
      found.insert(path.string());
    }
  }
}

void add_matches(const std::string& pattern, std::set<std::string>& found) {
  glob_t matches{};
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &matches) == 0) {
    for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
      if (is_terminal(matches.gl_pathv[i])) found.insert(matches.gl_pathv[i]);
    }
  }
  ::globfree(&matches);
}

}  // namespace

bool known_baud(unsigned baud) {
  return std::ranges::any_of(kSpeeds, [&](const auto& known) { return known.first == baud; });
}

Outcome<Port> Port::open(const std::string& name, unsigned baud) {
  if (name.starts_with(kTcp)) return connect(name);
  cli::FileHandle fd(::open(name.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.open()) {
    return from_errno(name, errno, errno == EBUSY ? "another program has the port" : "");
  }
  Port port(std::move(fd));
  if (auto done = port.take_terminal(name, baud); !done) return std::move(done).error();
  return port;
}

Done Port::take_terminal(const std::string& name, unsigned baud) {
  if (::isatty(fd_.get()) != 1) return file_failure(name, "it is no serial line");
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    return file_failure(name, "another program has the port");
  }
  // Keeps programs out that do not ask for locks. A pseudo-terminal would keep it when we are
  // killed.
  exclusive_ = !is_pseudo(fd_.get()) && ::ioctl(fd_.get(), TIOCEXCL) == 0;
  termios settings{};
  if (::tcgetattr(fd_.get(), &settings) != 0) return from_errno(name, errno);
  before_ = settings;
  ::cfmakeraw(&settings);
  // No modem is asked, and the end of a run resets no board.
  settings.c_cflag |= CLOCAL | CREAD;
  settings.c_cflag &= ~static_cast<tcflag_t>(HUPCL | CRTSCTS | CSTOPB);
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  if (::cfsetispeed(&settings, speed_of(baud)) != 0 ||
      ::cfsetospeed(&settings, speed_of(baud)) != 0 ||
      ::tcsetattr(fd_.get(), TCSANOW, &settings) != 0 || ::tcflush(fd_.get(), TCIOFLUSH) != 0) {
    return from_errno(name, errno);
  }
  return {};
}

Outcome<Port> Port::connect(const std::string& name) {
  const auto address = loopback_address(name);
  if (!address) return cli::usage_failure(name, "not tcp:127.0.0.1:PORT");
  cli::FileHandle fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.open()) return from_errno(name, errno);
  const int yes = 1;
  (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 &&
      errno != EINPROGRESS) {
    return from_errno(name, errno);
  }
  return Port(std::move(fd));
}

Port::~Port() {
  if (!fd_.open() || !before_) return;
  (void)::tcsetattr(fd_.get(), TCSANOW, &*before_);
  if (exclusive_) (void)::ioctl(fd_.get(), TIOCNXCL);
}

bool Port::read(core::Bytes& bytes) {
  std::array<std::uint8_t, 8192> buffer{};
  bytes.clear();
  const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  bytes.assign(buffer.begin(), buffer.begin() + got);
  return true;
}

bool Port::write(core::Bytes& bytes) {
  while (!bytes.empty()) {
    const ssize_t put = before_ ? ::write(fd_.get(), bytes.data(), bytes.size())
                                : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put < 0) {
      return errno == EAGAIN || errno == EINTR || (!before_ && errno == ENOTCONN);
    }
    bytes.erase(bytes.begin(), bytes.begin() + put);
  }
  return true;
}

Outcome<PortFinder> PortFinder::create(std::vector<std::string> places) {
  for (const auto& place : places) {
    if (place.empty()) return cli::usage_failure("--ports", "a name is empty");
    if (place.starts_with(kTcp) && !loopback_address(place)) {
      return cli::usage_failure(place, "not tcp:127.0.0.1:PORT: a line on the network is anybody's",
                                "only this machine is reached by TCP");
    }
  }
  return PortFinder(std::move(places));
}

std::vector<std::string> PortFinder::find() const {
  std::set<std::string> found;
  for (const auto& place : places_) {
    std::error_code error;
    if (!place.starts_with(kTcp) && fs::is_directory(place, error)) {
      add_folder(place, found);
    } else if (is_pattern(place) && !fs::exists(place, error)) {
      add_matches(place, found);
    } else {
      found.insert(place);
    }
  }
  return {found.begin(), found.end()};
}

}  // namespace tallystick::station
