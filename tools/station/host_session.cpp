#include "tools/station/host_session.h"

#include <algorithm>

namespace tallystick::station {

using mboot::FrameReader;
using mboot::FrameType;
using mboot::Packet;
using mboot::StatusCode;
using mboot::Tag;

const char* trouble_text(LineTrouble trouble) {
  switch (trouble) {
    case LineTrouble::kSilent:
      return "the part does not answer";
    case LineTrouble::kDamaged:
      return "frames are damaged on the line";
    case LineTrouble::kOutOfStep:
      return "the part answers out of step";
    case LineTrouble::kUnreadable:
      return "the file for the part cannot be read";
  }
  return "the line failed";
}

void HostSession::ping(Clock::time_point now) {
  answer_.reset();
  reply_ = {};
  whole_said_ = false;
  said_ = acknowledged_ = 0;
  state_ = State::kPinging;
  say(FrameType::kPing);
  wait(patience_.ping, now);
}

void HostSession::ask(Request request, Clock::time_point now) {
  answer_.reset();
  reply_ = {};
  request_ = std::move(request);
  said_ = acknowledged_ = announced_ = 0;
  whole_said_ = false;
  if (request_.length > 0) request_.packet.flags |= mboot::kDataPhaseFollows;
  state_ = State::kCommandSaid;
  say(FrameType::kCommand, mboot::encode_packet(request_.packet));
  wait(patience_.acknowledge, now);
}

void HostSession::give_up() {
  if (state_ == State::kDataSaid) say(FrameType::kAbort);
  state_ = State::kIdle;
  answer_.reset();
}

void HostSession::receive(core::ByteView bytes, Clock::time_point now) {
  while (!bytes.empty()) {
    const auto event = reader_.next(bytes);
    if (event == FrameReader::Event::kNone) break;
    // What comes unasked is from before.
    if (!busy()) continue;
    if (event == FrameReader::Event::kDamaged) {
      take_damaged(now);
    } else {
      take_frame(now);
    }
  }
  frame_deadline_.reset();
  if (reader_.within_frame()) frame_deadline_ = now + kSilence;
}

std::optional<Clock::time_point> HostSession::next_time() const {
  if (!busy()) return std::nullopt;
  return frame_deadline_ ? std::min(*frame_deadline_, deadline_) : deadline_;
}

void HostSession::tick(Clock::time_point now) {
  if (!busy()) return;
  if (frame_deadline_ && now >= *frame_deadline_) {
    reader_.restart();
    frame_deadline_.reset();
    take_damaged(now);
  }
  if (busy() && now >= deadline_) end(LineTrouble::kSilent);
}

void HostSession::take_damaged(Clock::time_point now) {
  reply_.noisy = true;
  // A ping is said again by whoever pings.
  if (state_ == State::kPinging) return;
  if (++repeats_ > kMostRepeats) return end(LineTrouble::kDamaged);
  // The part says its last frame again, if it was one that waits for an ACK.
  say(FrameType::kNack);
  wait(patience_.acknowledge, now);
}

void HostSession::take_frame(Clock::time_point now) {
  const auto type = reader_.type();
  if (state_ == State::kPinging) {
    if (type != FrameType::kPingResponse) return;  // to somebody who asked before
    reply_.values = {reader_.version()};
    return end(std::move(reply_));
  }
  switch (type) {
    case FrameType::kAck:
      if (state_ == State::kCommandSaid) {
        state_ = State::kAnswerDue;
        wait(patience_.answer, now);
      } else if (state_ == State::kDataSaid) {
        acknowledged_ = said_;
        say_next_data(now);
      }
      return;
    case FrameType::kNack:
      if (state_ == State::kCommandSaid || state_ == State::kDataSaid) say_again();
      return;
    case FrameType::kAbort:
      if (state_ == State::kDataSaid) {
        state_ = State::kEndDue;
        wait(patience_.answer, now);
      }
      return;
    case FrameType::kCommand:
      return take_packet(now);
    case FrameType::kData:
      if (state_ == State::kTakingData) take_data(now);
      return;
    case FrameType::kPing:
    case FrameType::kPingResponse:
      return;
  }
}

void HostSession::take_packet(Clock::time_point now) {
  const auto packet = mboot::decode_packet(reader_.payload());
  // A terminal that echoes gives us our own words back.
  if (packet && static_cast<std::uint8_t>(packet->tag) < mboot::kFirstResponse) return;
  say(FrameType::kAck);
  if (!packet || packet->parameters.empty()) return end(LineTrouble::kOutOfStep);
  const bool generic = packet->tag == Tag::kGenericResponse;
  if (generic && (packet->parameters.size() < 2 ||
                  packet->parameters[1] != static_cast<std::uint32_t>(request_.packet.tag))) {
    return end(LineTrouble::kOutOfStep);
  }
  reply_.status = static_cast<StatusCode>(packet->parameters.front());
  const bool success = reply_.status == StatusCode::kSuccess;
  switch (state_) {
    case State::kCommandSaid:  // its ACK was lost
    case State::kAnswerDue:
      if (!generic && packet->tag != request_.response) return end(LineTrouble::kOutOfStep);
      reply_.values.assign(packet->parameters.begin() + 1, packet->parameters.end());
      if (!success) return end(std::move(reply_));
      return begin_data(*packet, now);
    case State::kDataSaid:
    case State::kEndDue:
      if (!generic || (success && !whole_said_)) return end(LineTrouble::kOutOfStep);
      if (success) acknowledged_ = request_.length;
      return end(std::move(reply_));
    case State::kTakingData:
      if (!generic || (success && reply_.data.size() != announced_)) {
        return end(LineTrouble::kOutOfStep);
      }
      return end(std::move(reply_));
    case State::kIdle:
    case State::kPinging:
      return;
  }
}

// The first response says that the command was taken.
void HostSession::begin_data(const Packet& packet, Clock::time_point now) {
  if (request_.length > 0) return say_next_data(now);
  if (!packet.has_data_phase()) return end(std::move(reply_));
  announced_ = reply_.values.empty() ? 0 : reply_.values.front();
  if (announced_ > request_.most_answer) return end(LineTrouble::kOutOfStep);
  state_ = State::kTakingData;
  wait(patience_.answer, now);
}

void HostSession::take_data(Clock::time_point now) {
  const auto payload = reader_.payload();
  say(FrameType::kAck);
  if (payload.empty()) {
    // No more will come, and the reason follows.
    state_ = State::kEndDue;
    return wait(patience_.answer, now);
  }
  if (reply_.data.size() + payload.size() > announced_) return end(LineTrouble::kOutOfStep);
  reply_.data.insert(reply_.data.end(), payload.begin(), payload.end());
  repeats_ = 0;
  wait(patience_.answer, now);
}

void HostSession::say_next_data(Clock::time_point now) {
  if (said_ == request_.length) {
    state_ = State::kEndDue;
    return wait(patience_.answer, now);
  }
  const auto most = std::clamp<std::size_t>(request_.largest_packet, 1, kMostPayload);
  core::Bytes data(
      static_cast<std::size_t>(std::min<std::uint64_t>(most, request_.length - said_)));
  if (!request_.read(said_, data)) {
    say(FrameType::kAbort);
    return end(LineTrouble::kUnreadable);
  }
  said_ += data.size();
  whole_said_ = said_ == request_.length;
  state_ = State::kDataSaid;
  say(FrameType::kData, data);
  wait(whole_said_ ? patience_.answer : patience_.acknowledge, now);
}

void HostSession::say(FrameType type, core::ByteView payload) {
  repeats_ = 0;
  unacknowledged_.clear();
  mboot::append_frame(unacknowledged_, type, payload);
  out_.insert(out_.end(), unacknowledged_.begin(), unacknowledged_.end());
}

void HostSession::say_again() {
  reply_.noisy = true;
  if (++repeats_ > kMostRepeats) return end(LineTrouble::kDamaged);
  out_.insert(out_.end(), unacknowledged_.begin(), unacknowledged_.end());
}

void HostSession::end(Reply reply) {
  state_ = State::kIdle;
  answer_ = std::move(reply);
}

void HostSession::end(LineTrouble trouble) {
  state_ = State::kIdle;
  answer_ = trouble;
}

}  // namespace tallystick::station
