#include "tools/station/seat.h"

#include <algorithm>

#include "devicesim/mboot/little_endian.h"

namespace tallystick::station {
namespace {

constexpr std::uint32_t kUniqueIdProperty = 0x12;
constexpr std::size_t kIdWords = 4;
// Pings before a port counts as empty, where each port has one part.
constexpr unsigned kPings = 4;

Request unique_id_request() {
  Request request;
  request.packet = {mboot::Tag::kGetProperty, 0, {kUniqueIdProperty, 0}};
  request.response = mboot::Tag::kGetPropertyResponse;
  return request;
}

Request reset_request() {
  Request request;
  request.packet = {mboot::Tag::kReset, 0, {}};
  return request;
}

std::vector<std::uint32_t> id_words(const core::DeviceId& part) {
  if (core::all_zero(part)) return {};
  std::vector<std::uint32_t> words;
  for (std::size_t i = 0; i < kIdWords; ++i) {
    words.push_back(mboot::load32(core::ByteView(part).subspan(4 * i)));
  }
  return words;
}

}  // namespace

Seat::Seat(std::string name, std::shared_ptr<const Job> job, const SeatOptions& options,
           SeatOwner& owner)
    : name_(std::move(name)),
      job_(std::move(job)),
      options_(options),
      owner_(owner),
      session_(options.patience) {}

Done Seat::open(Clock::time_point now) {
  auto port = Port::open(name_, options_.baud);
  if (!port) return std::move(port).error();
  port_.emplace(*std::move(port));
  session_ = HostSession(options_.patience);
  output_.clear();
  settled_id_.clear();
  unanswered_ = 0;
  phase_ = Phase::kListening;
  session_.ping(now);
  pump(now);
  return {};
}

void Seat::readable(Clock::time_point now) {
  if (!port_) return;
  core::Bytes bytes;
  if (!port_->read(bytes)) return line_gone("the port is gone");
  session_.receive(bytes, now);
  pump(now);
}

void Seat::writable(Clock::time_point now) { pump(now); }

std::optional<Clock::time_point> Seat::next_time() const {
  const auto session = session_.next_time();
  if (!session || !timer_) return session ? session : timer_;
  return std::min(*session, *timer_);
}

void Seat::tick(Clock::time_point now) {
  if (!port_) return;
  if (timer_ && now >= *timer_) {
    timer_.reset();
    if (phase_ == Phase::kWorking) {
      follow(procedure_->paused(), now);
    } else if (phase_ == Phase::kListening) {
      session_.ping(now);
    } else if (phase_ == Phase::kSettled) {
      phase_ = Phase::kLooking;
      session_.ping(now);
    }
  }
  session_.tick(now);
  pump(now);
}

// Says what is to be said and follows what was answered, until there is nothing of either.
void Seat::pump(Clock::time_point now) {
  while (port_) {
    const auto said = session_.take_output();
    output_.insert(output_.end(), said.begin(), said.end());
    if (!port_->write(output_)) return line_gone("the port is gone");
    const auto answer = session_.take_answer();
    if (!answer) return;
    answered(*answer, now);
  }
}

void Seat::answered(const Answer& answer, Clock::time_point now) {
  switch (phase_) {
    case Phase::kListening:
      return listened(answer, now);
    case Phase::kWorking: {
      const auto* const reply = std::get_if<Reply>(&answer);
      auto want = reply != nullptr
                      ? procedure_->replied(*reply)
                      : procedure_->troubled(std::get<LineTrouble>(answer), session_.whole_said());
      for (const auto step : procedure_->take_passed()) owner_.step_passed(*this, step);
      return follow(std::move(want), now);
    }
    case Phase::kParting:
      return settle(now);
    case Phase::kLooking:
      return looked(answer, now);
    case Phase::kClosed:
    case Phase::kSettled:
    case Phase::kWaiting:
      return;
  }
}

void Seat::listened(const Answer& answer, Clock::time_point now) {
  if (std::holds_alternative<Reply>(answer)) return begin(now);
  if (options_.waits) {
    timer_ = now + options_.between_looks;
  } else if (++unanswered_ < kPings) {
    session_.set_tries(unanswered_);
    session_.ping(now);
  } else {
    phase_ = Phase::kSettled;
    owner_.part_ended(*this, {Result::kFailed, Step::kReach, "no part answers", Made::kNo});
  }
}

void Seat::begin(Clock::time_point now) {
  phase_ = Phase::kWorking;
  procedure_.emplace(job_);
  follow(procedure_->begin(), now);
}

void Seat::follow(Want want, Clock::time_point now) {
  session_.set_tries(procedure_->retries());
  if (auto* const request = std::get_if<Request>(&want)) {
    session_.ask(std::move(*request), now);
  } else if (std::holds_alternative<WantPing>(want)) {
    // What is not said yet belongs to what was given up.
    output_.clear();
    session_.ping(now);
  } else if (const auto* const pause = std::get_if<WantPause>(&want)) {
    timer_ = now + pause->time;
  } else if (const auto* const place = std::get_if<WantPlace>(&want)) {
    awaits_record_ = true;
    owner_.place_wanted(*this, *place);
  } else if (auto* const delivery = std::get_if<Delivery>(&want)) {
    awaits_record_ = true;
    owner_.delivery_made(*this, std::move(*delivery));
  } else {
    conclude(std::get<Verdict>(want), now);
  }
}

void Seat::placed(Place place, Clock::time_point now) {
  awaits_record_ = false;
  if (phase_ != Phase::kWorking || !port_) return;
  follow(procedure_->placed(place), now);
  pump(now);
}

void Seat::delivered(Clock::time_point now) {
  awaits_record_ = false;
  if (phase_ != Phase::kWorking) return;
  follow(procedure_->delivered(), now);
  if (port_) pump(now);
}

void Seat::look_again(Clock::time_point now) {
  if (phase_ != Phase::kWaiting) return;
  begin(now);
  pump(now);
}

void Seat::conclude(const Verdict& verdict, Clock::time_point now) {
  const auto part = procedure_->part_id();
  if (verdict.result == Result::kWaits) {
    phase_ = Phase::kWaiting;
    owner_.part_ended(*this, verdict);
    return;
  }
  settled_id_ = id_words(part);
  // A part that is somebody else's business is left as it is.
  const bool touched = verdict.result != Result::kSkipped;
  phase_ = Phase::kParting;
  owner_.part_ended(*this, verdict);
  procedure_.reset();
  if (!port_) {
    phase_ = Phase::kClosed;
  } else if (touched) {
    session_.ask(reset_request(), now);
  } else {
    settle(now);
  }
}

void Seat::settle(Clock::time_point now) {
  phase_ = Phase::kSettled;
  timer_.reset();
  if (options_.waits) timer_ = now + options_.between_looks;
}

// A part that does not answer any more was taken out; another one has another id.
void Seat::looked(const Answer& answer, Clock::time_point now) {
  const auto* const reply = std::get_if<Reply>(&answer);
  if (reply == nullptr) {
    settled_id_.clear();
    phase_ = Phase::kListening;
    timer_ = now + options_.between_looks;
    return;
  }
  // The ping's answer has one word, the version.
  if (reply->values.size() < kIdWords) {
    if (reply->status == mboot::StatusCode::kSuccess) return session_.ask(unique_id_request(), now);
    return settle(now);
  }
  const bool same = settled_id_.empty() || settled_id_ == reply->values;
  settled_id_ = reply->values;
  if (same) return settle(now);
  begin(now);
}

std::uint64_t Seat::bytes_done() const {
  if (!procedure_ || procedure_->step() != Step::kPackage) return 0;
  return session_.acknowledged();
}

void Seat::give_up(const std::string& why) {
  timer_.reset();
  session_.give_up();
  const auto said = session_.take_output();
  output_.insert(output_.end(), said.begin(), said.end());
  if (port_) (void)port_->write(output_);
  if (begun()) return line_gone(why);
  close();
  phase_ = Phase::kClosed;
  procedure_.reset();
}

void Seat::close() {
  port_.reset();
  timer_.reset();
  output_.clear();
  session_ = HostSession(options_.patience);
}

void Seat::line_gone(const std::string& why) {
  const bool sent = procedure_ && procedure_->step() == Step::kPackage && session_.whole_said();
  close();
  const bool worked = phase_ == Phase::kWorking;
  // A part that is on its way into the record is done.
  if (worked && procedure_->step() == Step::kDeliver) return;
  const bool silent = phase_ == Phase::kListening && !options_.waits;
  phase_ = Phase::kClosed;
  if (silent) owner_.part_ended(*this, {Result::kFailed, Step::kReach, why, Made::kNo});
  if (!worked) {
    procedure_.reset();
    return;
  }
  auto made = procedure_->made();
  if (sent && made == Made::kNo) made = Made::kPerhaps;
  owner_.part_ended(*this, {Result::kFailed, procedure_->step(), why, made});
  procedure_.reset();
}

}  // namespace tallystick::station
