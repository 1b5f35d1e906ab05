#include "tools/station/station.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "tools/cli/interrupt.h"
#include "tools/station/recorder.h"

namespace tallystick::station {
namespace {

using cli::FileHandle;
using cli::from_errno;

constexpr std::chrono::milliseconds kBetweenScans{500};
constexpr std::chrono::milliseconds kBetweenShows{100};
constexpr std::size_t kMostPorts = 10'000;

const char* made_text(Made made) {
  switch (made) {
    case Made::kNo:
      return "no";
    case Made::kPerhaps:
      return "perhaps";
    case Made::kYes:
      return "yes";
  }
  return "";
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

class Station : private SeatOwner {
 public:
  Station(std::shared_ptr<const Job> job, const StationOptions& options, Watcher& watcher)
      : job_(std::move(job)),
        options_(options),
        watcher_(watcher),
        count_(options.parts.value_or(job_->file.parts)) {
    seat_options_.patience = options.patience;
    seat_options_.baud = options.baud;
    seat_options_.waits = !options.once && count_.most() != 0;
  }

  Outcome<RunEnd> run();

 private:
  // Where what epoll tells belongs; seats have numbers from kFirstSeat on.
  enum Source : std::uint64_t { kSignal = 0, kRecord = 1, kFirstSeat = 2 };

  struct Watch {
    Seat* seat = nullptr;
    std::uint32_t watched = 0;
    int fd = -1;
    std::optional<Clock::time_point> due;
  };
  struct Ticket {
    std::uint64_t seat = 0;
    core::DeviceId part{};
    bool done = false;  // else begun
    Result result = Result::kProgrammed;
  };

  Done prepare();
  Done begin_record();
  void scan(Clock::time_point now);
  void open(Seat& seat, Clock::time_point now);
  void handle(std::uint64_t source, std::uint32_t events, Clock::time_point now);
  void take_signal(Clock::time_point now);
  void take_record(Clock::time_point now);
  void answer_places(Clock::time_point now);
  void settle(std::uint64_t number);
  void offer_places(Clock::time_point now);
  void drain();
  void abandon();
  [[nodiscard]] bool over() const;
  [[nodiscard]] int wait_time(Clock::time_point now) const;
  [[nodiscard]] Figures figures() const;
  RunEnd conclude();

  std::uint64_t number_of(const Seat& seat) const { return numbers_.at(seat.name()); }
  void place_wanted(Seat& seat, const WantPlace& want) override;
  void delivery_made(Seat& seat, Delivery delivery) override;
  void step_passed(Seat& seat, Step step) override;
  void part_ended(Seat& seat, const Verdict& verdict) override;

  std::shared_ptr<const Job> job_;
  StationOptions options_;
  Watcher& watcher_;
  SeatOptions seat_options_;
  Count count_;
  Figures totals_;
  FileHandle epoll_;
  FileHandle wake_;
  FileHandle signals_;
  std::optional<PortFinder> finder_;
  std::unique_ptr<Recorder> recorder_;
  std::map<std::string, std::uint64_t> numbers_;  // of ports, by name
  std::vector<std::unique_ptr<Seat>> seats_;
  std::vector<Watch> watches_;
  std::set<std::pair<Clock::time_point, std::uint64_t>> due_;
  std::map<std::uint64_t, Ticket> tickets_;
  std::uint64_t next_ticket_ = 1;
  std::vector<std::pair<std::uint64_t, Place>> answers_;
  Clock::time_point start_{};
  Clock::time_point next_scan_{};
  Clock::time_point next_show_{};
  bool draining_ = false;
  bool interrupted_ = false;
  bool abandoned_ = false;
  std::optional<Failure> stopped_;
};

Done Station::prepare() {
  raise_descriptor_limit();
  auto finder = PortFinder::create(options_.ports);
  if (!finder) return std::move(finder).error();
  finder_ = *std::move(finder);
  epoll_ = FileHandle(::epoll_create1(EPOLL_CLOEXEC));
  wake_ = FileHandle(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  // The signals themselves are held back by an Interrupt.
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  signals_ = FileHandle(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!epoll_.open() || !wake_.open() || !signals_.open()) return from_errno("station", errno);
  for (const auto& [fd, source] : {std::pair{signals_.get(), kSignal}, {wake_.get(), kRecord}}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = source;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      return from_errno("station", errno);
    }
  }
  if (job_->file.challenge) {
    if (auto done = cli::make_directory(job_->path(kProofFolder)); !done) return done;
  }
  return begin_record();
}

Done Station::begin_record() {
  auto ledger = Ledger::open(*job_, count_);
  if (!ledger) return std::move(ledger).error();
  const auto& header = job_->head.header;
  std::vector<std::string> lines = {line_of({{"event", "run"},
                                             {"job", job_->file.name},
                                             {"package_digest", job_->package_digest},
                                             {"package_version", header.package_version},
                                             {"share_id", core::to_hex(header.context.share_id)},
                                             {"parts", count_.most()},
                                             {"done", count_.done_count()},
                                             {"unresolved", count_.unresolved().size()}})};
  if (options_.release) {
    const auto released = count_.unresolved();
    for (const auto& part : released) {
      lines.push_back(line_of({{"event", "released"}, {"part_id", core::to_hex(part)}}));
      count_.was_not_made(part);
    }
  }
  if (auto done = ledger->append(lines, true); !done) return done;
  recorder_ = std::make_unique<Recorder>(*std::move(ledger), wake_.get());
  return {};
}

void Station::scan(Clock::time_point now) {
  next_scan_ = now + kBetweenScans;
  for (const auto& name : finder_->find()) {
    const auto known = numbers_.find(name);
    if (known != numbers_.end()) {
      auto& seat = *seats_[known->second];
      // Of a port that has gone and is here again.
      if (seat_options_.waits && !seat.is_open() && !seat.working()) open(seat, now);
      continue;
    }
    if (seats_.size() >= kMostPorts) return;
    numbers_.emplace(name, seats_.size());
    seats_.push_back(
        std::make_unique<Seat>(name, job_, seat_options_, static_cast<SeatOwner&>(*this)));
    watches_.push_back({seats_.back().get(), 0, -1, std::nullopt});
    open(*seats_.back(), now);
  }
}

void Station::open(Seat& seat, Clock::time_point now) {
  if (draining_) return;
  if (auto done = seat.open(now); !done && !seat_options_.waits) {
    part_ended(seat, {Result::kFailed, Step::kReach, done.error().why, Made::kNo});
  }
  settle(number_of(seat));
}

void Station::settle(std::uint64_t number) {
  auto& watch = watches_[number];
  const int fd = watch.seat->descriptor();
  // Closing took the old one out of what is waited for.
  if (fd != watch.fd) watch.watched = 0;
  if (fd >= 0) {
    const std::uint32_t wanted = EPOLLIN | (watch.seat->has_output() ? EPOLLOUT : 0U);
    if (wanted != watch.watched) {
      epoll_event event{};
      event.events = wanted;
      event.data.u64 = number + kFirstSeat;
      const int how = watch.watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
      if (::epoll_ctl(epoll_.get(), how, fd, &event) != 0 && errno == EEXIST) {
        (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
      }
      watch.watched = wanted;
    }
  }
  watch.fd = fd;
  const auto next = watch.seat->next_time();
  if (next == watch.due) return;
  if (watch.due) due_.erase({*watch.due, number});
  if (next) due_.insert({*next, number});
  watch.due = next;
}

void Station::handle(std::uint64_t source, std::uint32_t events, Clock::time_point now) {
  if (source == kSignal) return take_signal(now);
  if (source == kRecord) return take_record(now);
  const auto number = source - kFirstSeat;
  auto& seat = *seats_[number];
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) seat.readable(now);
  if ((events & EPOLLOUT) != 0) seat.writable(now);
  settle(number);
}

void Station::take_signal(Clock::time_point) {
  signalfd_siginfo taken{};
  while (::read(signals_.get(), &taken, sizeof taken) > 0) {
    if (interrupted_) abandoned_ = true;
    interrupted_ = true;
  }
  if (abandoned_) return abandon();
  drain();
}

void Station::take_record(Clock::time_point now) {
  eventfd_t value = 0;
  (void)::eventfd_read(wake_.get(), &value);
  const auto finished = recorder_->take_finished();
  for (const auto number : finished.tickets) {
    const auto found = tickets_.find(number);
    if (found == tickets_.end()) continue;
    const auto ticket = found->second;
    tickets_.erase(found);
    auto& seat = *seats_[ticket.seat];
    if (ticket.done) {
      count_.done(ticket.part);
      ++(ticket.result == Result::kProgrammed ? totals_.programmed : totals_.found);
      seat.delivered(now);
    } else {
      seat.placed(Place::kTaken, now);
    }
    settle(ticket.seat);
  }
  if (finished.error && !stopped_) {
    stopped_ = finished.error;
    // Nothing more can be recorded, so nothing more is done.
    abandon();
  }
  offer_places(now);
}

void Station::answer_places(Clock::time_point now) {
  for (const auto& [number, place] : std::exchange(answers_, {})) {
    seats_[number]->placed(place, now);
    settle(number);
  }
}

// Parts that found no place look again when one has become free.
void Station::offer_places(Clock::time_point now) {
  if (draining_ || !count_.has_room()) return;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (!seats_[i]->waits_for_place()) continue;
    seats_[i]->look_again(now);
    settle(i);
  }
}

void Station::place_wanted(Seat& seat, const WantPlace& want) {
  const auto number = number_of(seat);
  const auto place = draining_ ? Place::kFull : count_.take(want.part_id, seat.name());
  if (place != Place::kTaken) {
    answers_.emplace_back(number, place);
    return;
  }
  const auto ticket = next_ticket_++;
  tickets_[ticket] = {number, want.part_id, false, {}};
  recorder_->commit(ticket, line_of({{"event", "begin"},
                                     {"port", seat.name()},
                                     {"part_id", core::to_hex(want.part_id)},
                                     {"holds_package", want.holds}}));
}

void Station::delivery_made(Seat& seat, Delivery delivery) {
  const auto ticket = next_ticket_++;
  const auto id = core::to_hex(delivery.part_id);
  tickets_[ticket] = {number_of(seat), delivery.part_id, true, delivery.result};
  Json line{{"event", "done"},
            {"port", seat.name()},
            {"part_id", id},
            {"result", delivery.result == Result::kProgrammed ? "programmed" : "found"},
            {"life_cycle", delivery.life_cycle},
            {"software_version", delivery.software_version},
            {"package_version", job_->head.header.package_version},
            {"share_id", core::to_hex(job_->head.header.context.share_id)},
            {"package_digest", job_->package_digest}};
  if (delivery.number != 0) line["number"] = delivery.number;
  std::vector<OwnedFile> files;
  if (!delivery.proof.empty()) {
    const auto stem = job_->path(kProofFolder) + "/" + id;
    files.push_back({stem + ".proof", std::move(delivery.proof)});
    files.push_back({stem + ".cer", std::move(delivery.certificate)});
  }
  recorder_->commit(ticket, line_of(std::move(line)), std::move(files));
}

void Station::step_passed(Seat& seat, Step step) {
  // Those of which the record has lines of their own.
  if (step == Step::kFinal || step == Step::kProve) return;
  recorder_->note(line_of({{"event", step_name(step)},
                           {"port", seat.name()},
                           {"part_id", core::to_hex(seat.procedure()->part_id())}}));
}

void Station::part_ended(Seat& seat, const Verdict& verdict) {
  PartEnd end{seat.name(), {}, verdict};
  bool had_place = false;
  if (const auto* const procedure = seat.procedure()) {
    end.part_id = procedure->part_id();
    totals_.retries += procedure->retries();
    had_place = procedure->has_place() || procedure->step() == Step::kPlace;
  }
  const char* event = "failed";
  switch (verdict.result) {
    // Counted when they were recorded; nothing has ended.
    case Result::kProgrammed:
    case Result::kFound:
    case Result::kWaits:
      return;
    case Result::kKnown:
      ++totals_.known;
      return;
    case Result::kSkipped:
      ++totals_.skipped;
      event = "skipped";
      break;
    case Result::kRefused:
      ++totals_.refused;
      event = "refused";
      break;
    case Result::kFailed:
      ++totals_.failed;
      break;
  }
  Json line{{"event", event}, {"port", end.port}};
  if (!core::all_zero(end.part_id)) line["part_id"] = core::to_hex(end.part_id);
  line["step"] = step_name(verdict.step);
  line["error"] = verdict.why;
  if (had_place && verdict.result != Result::kSkipped) {
    line["made"] = made_text(verdict.made);
    count_.left(end.part_id, end.port, verdict.made);
    recorder_->commit(0, line_of(std::move(line)));
  } else {
    recorder_->note(line_of(std::move(line)));
  }
  watcher_.part_ended(end);
}

// No new part is begun; those that have their place come to their end.
void Station::drain() {
  draining_ = true;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (!seats_[i]->begun() && !seats_[i]->parting()) seats_[i]->give_up("");
    settle(i);
  }
}

void Station::abandon() {
  draining_ = true;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    seats_[i]->give_up("the station was told to end at once");
    settle(i);
  }
}

bool Station::over() const {
  if (stopped_) return true;
  if (!answers_.empty() || !tickets_.empty()) return false;
  const bool at_rest =
      std::ranges::all_of(seats_, [](const auto& seat) { return seat->at_rest(); });
  if (draining_ || !seat_options_.waits) return at_rest;
  return false;
}

int Station::wait_time(Clock::time_point now) const {
  auto until = now + std::chrono::hours(1);
  if (!due_.empty()) until = due_.begin()->first;
  if (seat_options_.waits && !draining_) until = std::min(until, next_scan_);
  if (!answers_.empty()) until = now;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
  return static_cast<int>(std::clamp<std::int64_t>(wait, 0, 3'600'000));
}

Figures Station::figures() const {
  auto now = totals_;
  now.ports = seats_.size();
  now.at_work = static_cast<std::uint64_t>(
      std::ranges::count_if(seats_, [](const auto& seat) { return seat->working(); }));
  now.done = count_.done_count();
  now.unresolved = count_.unresolved().size();
  now.parts = count_.most();
  now.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  return now;
}

RunEnd Station::conclude() {
  RunEnd end;
  end.figures = figures();
  end.interrupted = interrupted_;
  end.unresolved.assign(count_.unresolved().begin(), count_.unresolved().end());
  const auto& f = end.figures;
  recorder_->commit(0, line_of({{"event", "end"},
                                {"programmed", f.programmed},
                                {"found", f.found},
                                {"skipped", f.skipped},
                                {"refused", f.refused},
                                {"failed", f.failed},
                                {"done", f.done},
                                {"unresolved", f.unresolved},
                                {"interrupted", interrupted_}}));
  recorder_.reset();
  end.stopped = stopped_;
  return end;
}

Outcome<RunEnd> Station::run() {
  start_ = Clock::now();
  if (auto done = prepare(); !done) return std::move(done).error();
  if (!count_.complete()) {
    scan(start_);
    if (seats_.empty() && !seat_options_.waits) {
      return cli::file_failure("ports", "there is none", "--ports names folders, devices, tcp:…");
    }
  }
  std::array<epoll_event, 128> events{};
  for (;;) {
    if (count_.complete() && !draining_) drain();
    if (over()) break;
    const int got = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 wait_time(Clock::now()));
    if (got < 0 && errno != EINTR) {
      stopped_ = from_errno("station", errno);
      break;
    }
    const auto now = Clock::now();
    for (int i = 0; i < got; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      handle(event.data.u64, event.events, now);
    }
    while (!due_.empty() && due_.begin()->first <= now) {
      const auto number = due_.begin()->second;
      due_.erase(due_.begin());
      watches_[number].due.reset();
      seats_[number]->tick(now);
      settle(number);
    }
    answer_places(now);
    offer_places(now);
    if (seat_options_.waits && !draining_ && now >= next_scan_) scan(now);
    if (now >= next_show_) {
      next_show_ = now + kBetweenShows;
      watcher_.progress(figures());
    }
  }
  return conclude();
}

}  // namespace

double Figures::yield_percent() const {
  const auto good = programmed + found + known;
  const auto tried = good + refused + failed;
  return tried == 0 ? 0 : 100.0 * static_cast<double>(good) / static_cast<double>(tried);
}

double Figures::parts_per_second() const {
  return seconds > 0 ? static_cast<double>(programmed) / seconds : 0;
}

Outcome<RunEnd> run_station(const std::shared_ptr<const Job>& job, const StationOptions& options,
                            Watcher& watcher) {
  // Before the recorder's thread is there.
  const cli::Interrupt interrupt;
  return Station(job, options, watcher).run();
}

}  // namespace tallystick::station
