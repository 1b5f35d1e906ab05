#include "devicesim/line/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <set>

#include "devicesim/line/line.h"
#include "devicesim/line/terminal.h"
#include "devicesim/new_file.h"

namespace tallystick::device {
namespace {

using core::Error;
using core::ErrorCode;
using core::Result;
using core::Status;

constexpr std::size_t kMostParts = 10'000;
constexpr const char* kLoopback = "127.0.0.1";

Error failed(const char* what) { return file_error("the serial lines", what, errno); }

// The signals that end the server arrive at a descriptor while this object lives.
class EndSignals {
 public:
  EndSignals() {
    (void)sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) (void)sigaddset(&set_, signal);
    (void)sigprocmask(SIG_BLOCK, &set_, &before_);
    // A connection that is gone is noticed by its error.
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &ignore, &pipe_before_);
    fd_ = Descriptor(::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals() {
    signalfd_siginfo taken{};
    while (fd_.open() && ::read(fd_.get(), &taken, sizeof taken) > 0) {
    }
    (void)sigaction(SIGPIPE, &pipe_before_, nullptr);
    (void)sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  [[nodiscard]] int descriptor() const { return fd_.get(); }

 private:
  sigset_t set_{};
  sigset_t before_{};
  struct sigaction pipe_before_ {};
  Descriptor fd_;
};

// As many descriptors as the system lets the process have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

// What can be seen without opening it as a part, which would be power-on.
Result<std::pair<dev_t, ino_t>> check_part_file(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.open()) return file_error(path, "cannot open", errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return file_error(path, "cannot examine", errno);
  core::ByteArray<kPartFileKind.size()> magic{};
  if (!S_ISREG(info.st_mode) ||
      ::pread(fd.get(), magic.data(), magic.size(), 0) != static_cast<ssize_t>(magic.size()) ||
      core::text_of(magic) != kPartFileKind) {
    return Error{ErrorCode::kStorage, path + ": this is not the file of a part"};
  }
  return std::pair(info.st_dev, info.st_ino);
}

Result<Descriptor> listen_on(std::uint16_t port) {
  const auto name = std::string(kLoopback) + ":" + std::to_string(port);
  Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.open()) return file_error(name, "cannot make a socket", errno);
  const int yes = 1;
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 1) != 0) {
    return file_error(name, "cannot listen", errno);
  }
  return fd;
}

std::uint16_t port_of(const Descriptor& fd) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  (void)::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

class Server {
 public:
  static Result<std::unique_ptr<Server>> create(const Part::CryptoPtr& crypto,
                                                const ServerOptions& options, const ServerLog& log);
  [[nodiscard]] std::vector<ServedPart> parts() const;
  Status run();

 private:
  // What an event is about: the part's number, and which of its descriptors.
  enum Source : std::uint8_t {
    kFromTerminal = 0,
    kFromConnection = 1,
    kFromListener = 2,
    kEnd = 3
  };

  struct Seat {
    ServedPart address;
    Terminal terminal;
    Link link;
    Descriptor listener;
    std::unique_ptr<Line> line;
    std::array<std::optional<std::uint32_t>, Line::kPorts> watched;  // events
    std::optional<Clock::time_point> due;
  };

  explicit Server(const ServerOptions& options) : options_(options) {}
  Status add(const Part::CryptoPtr& crypto, const std::string& file, const ServerLog& log);
  Status watch(int fd, std::uint32_t events, std::size_t number, Source source, bool fresh);
  void accept_host(std::size_t number);
  void hang_up(std::size_t number);
  // Brings what is waited for in line with what the part has to say and may hear.
  Status settle(std::size_t number, Clock::time_point now);
  Status handle(std::uint64_t about, Clock::time_point now);
  [[nodiscard]] int wait_time(Clock::time_point now) const;

  ServerOptions options_;
  EndSignals signals_;
  Descriptor epoll_;
  std::vector<Seat> seats_;
  std::set<std::pair<Clock::time_point, std::size_t>> due_;
  bool ended_ = false;
};

Result<std::unique_ptr<Server>> Server::create(const Part::CryptoPtr& crypto,
                                               const ServerOptions& options, const ServerLog& log) {
  const auto count = options.files.size();
  if (count > kMostParts) {
    return Error{ErrorCode::kInvalidArgument,
                 "at most " + std::to_string(kMostParts) + " parts at once"};
  }
  if (!options.terminals && !options.tcp) {
    return Error{ErrorCode::kInvalidArgument, "neither terminals nor TCP: nobody could come"};
  }
  if (options.tcp.value_or(0) != 0 && *options.tcp + count - 1 > UINT16_MAX) {
    return Error{ErrorCode::kInvalidArgument, "there are not so many TCP ports from there on"};
  }
  raise_descriptor_limit();
  std::set<std::pair<dev_t, ino_t>> known;
  for (const auto& file : options.files) {
    auto identity = check_part_file(file);
    if (!identity) return std::move(identity).error();
    if (!known.insert(*identity).second) {
      return Error{ErrorCode::kInvalidArgument, file + ": is named twice"};
    }
  }
  std::unique_ptr<Server> server(new Server(options));
  server->epoll_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!server->epoll_.open()) return failed("cannot be waited for");
  if (auto watched = server->watch(server->signals_.descriptor(), EPOLLIN, 0, kEnd, true);
      !watched) {
    return watched.error();
  }
  server->seats_.reserve(count);
  for (const auto& file : options.files) {
    if (auto added = server->add(crypto, file, log); !added) return added.error();
  }
  return server;
}

Status Server::add(const Part::CryptoPtr& crypto, const std::string& file, const ServerLog& log) {
  const auto number = seats_.size();
  Seat seat;
  seat.address.file = file;
  PartTarget::Log part_log;
  if (log) part_log = [log, file](const std::string& line) { log(file, line); };
  seat.line = std::make_unique<Line>([crypto, file] { return Part::open(crypto, file); },
                                     std::move(part_log));
  if (options_.terminals) {
    auto terminal = Terminal::open();
    if (!terminal) return std::move(terminal).error();
    const auto beside = std::filesystem::path(file).concat(".tty");
    const auto path = options_.link_folder.empty()
                          ? beside
                          : std::filesystem::path(options_.link_folder) / beside.filename();
    auto link = Link::create(terminal->path, path.string());
    if (!link) return std::move(link).error();
    seat.terminal = *std::move(terminal);
    seat.link = *std::move(link);
    seat.address.terminal = seat.terminal.path;
    seat.address.link = seat.link.path();
    seat.line->channel(Line::kTerminal) = Channel(std::move(seat.terminal.master), options_.baud);
  }
  if (options_.tcp) {
    const auto port = *options_.tcp == 0 ? 0 : *options_.tcp + number;
    auto listener = listen_on(static_cast<std::uint16_t>(port));
    if (!listener) return std::move(listener).error();
    seat.listener = *std::move(listener);
    seat.address.tcp = port_of(seat.listener);
    if (auto watched = watch(seat.listener.get(), EPOLLIN, number, kFromListener, true); !watched) {
      return watched;
    }
  }
  seats_.push_back(std::move(seat));
  return settle(number, Clock::now());
}

std::vector<ServedPart> Server::parts() const {
  std::vector<ServedPart> parts;
  for (const auto& seat : seats_) parts.push_back(seat.address);
  return parts;
}

Status Server::watch(int fd, std::uint32_t events, std::size_t number, Source source, bool fresh) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<std::uint64_t>(number) << 2U | source;
  if (::epoll_ctl(epoll_.get(), fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0) return {};
  return failed("cannot be waited for");
}

void Server::accept_host(std::size_t number) {
  auto& seat = seats_[number];
  // One host at a time: the next one waits to be accepted.
  if (seat.line->channel(Line::kConnection).open()) return;
  Descriptor fd(::accept4(seat.listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd.open()) return;
  const int yes = 1;
  (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  seat.line->channel(Line::kConnection) = Channel(std::move(fd), options_.baud);
  (void)watch(seat.listener.get(), 0, number, kFromListener, false);
}

void Server::hang_up(std::size_t number) {
  auto& seat = seats_[number];
  seat.line->hang_up(Line::kConnection);  // which takes it out of what is waited for
  seat.watched[Line::kConnection].reset();
  (void)watch(seat.listener.get(), EPOLLIN, number, kFromListener, false);
}

Status Server::settle(std::size_t number, Clock::time_point now) {
  auto& seat = seats_[number];
  for (const auto port : {Line::kTerminal, Line::kConnection}) {
    const auto& channel = seat.line->channel(port);
    if (!channel.open()) continue;
    std::uint32_t events = 0;
    if (channel.may_read(now)) events |= EPOLLIN;
    if (channel.may_say(now)) events |= EPOLLOUT;
    if (events == seat.watched[port]) continue;
    const auto source = port == Line::kTerminal ? kFromTerminal : kFromConnection;
    const bool fresh = !seat.watched[port].has_value();
    if (auto watched = watch(channel.descriptor(), events, number, source, fresh); !watched) {
      return watched;
    }
    seat.watched[port] = events;
  }
  const auto next = seat.line->next_time(now);
  if (next == seat.due) return {};
  if (seat.due) due_.erase({*seat.due, number});
  if (next) due_.insert({*next, number});
  seat.due = next;
  return {};
}

Status Server::handle(std::uint64_t about, Clock::time_point now) {
  const auto number = static_cast<std::size_t>(about >> 2U);
  auto& seat = seats_[number];
  switch (static_cast<Source>(about & 3U)) {
    case kEnd:
      ended_ = true;
      return {};
    case kFromListener:
      accept_host(number);
      break;
    case kFromTerminal:
      (void)seat.line->channel(Line::kTerminal).flush(now);
      (void)seat.line->serve(Line::kTerminal, now);
      break;
    case kFromConnection: {
      auto& channel = seat.line->channel(Line::kConnection);
      if (!channel.open()) break;
      if (!channel.flush(now) || !seat.line->serve(Line::kConnection, now)) hang_up(number);
      break;
    }
  }
  return settle(number, now);
}

int Server::wait_time(Clock::time_point now) const {
  if (due_.empty()) return -1;
  const auto wait = due_.begin()->first - now;
  if (wait <= Clock::duration::zero()) return 0;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
}

Status Server::run() {
  std::array<epoll_event, 64> events{};
  while (!ended_) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   wait_time(Clock::now()));
    if (count < 0 && errno != EINTR) return failed("cannot be waited for");
    const auto now = Clock::now();
    for (int i = 0; i < count; ++i) {
      if (auto handled = handle(events[static_cast<std::size_t>(i)].data.u64, now); !handled) {
        return handled;
      }
    }
    while (!due_.empty() && due_.begin()->first <= now) {
      const auto number = due_.begin()->second;
      due_.erase(due_.begin());
      seats_[number].due.reset();
      seats_[number].line->serve_time(now);
      if (auto settled = settle(number, now); !settled) return settled;
    }
  }
  return {};
}

}  // namespace

Status serve(const Part::CryptoPtr& crypto, const ServerOptions& options, const Ready& ready,
             const ServerLog& log) {
  auto server = Server::create(crypto, options, log);
  if (!server) return std::move(server).error();
  if (auto told = ready((*server)->parts()); !told) return told;
  return (*server)->run();
}

}  // namespace tallystick::device
