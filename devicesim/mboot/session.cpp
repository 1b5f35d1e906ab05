#include "devicesim/mboot/session.h"

#include <algorithm>

namespace tallystick::mboot {

Session::Session(Target& target)
    : target_(target), reader_(std::max(target.largest_packet(), kMostPacket)) {}

Session::Answer Session::receive(core::ByteView& input) {
  out_.clear();
  Answer answer;
  while (out_.empty()) {
    const auto event = reader_.next(input);
    if (event == FrameReader::Event::kNone) break;
    if (event == FrameReader::Event::kDamaged) {
      take_damaged();
    } else {
      take_frame();
      answer.begins_anew = reader_.type() == FrameType::kPing;
    }
  }
  answer.bytes = out_;
  return answer;
}

void Session::hang_up() {
  abandon();
  reader_.restart();
}

void Session::take_frame() {
  switch (reader_.type()) {
    case FrameType::kAck:
      return take_ack();
    case FrameType::kNack:
      return take_nack();
    case FrameType::kAbort:
      return take_abort();
    case FrameType::kCommand:
      return take_command();
    case FrameType::kData:
      return take_data();
    case FrameType::kPing:
      abandon();
      append_ping_response(out_, target_.protocol_version(), 0);
      return;
    case FrameType::kPingResponse:  // ours alone to say
      return;
  }
}

void Session::take_damaged() {
  if (reader_.type() == FrameType::kPingResponse) return;
  if (state_ == State::kAnswered) state_ = State::kReady;
  if (state_ == State::kOpening) state_ = State::kTakingData;
  say(FrameType::kNack);
}

void Session::take_ack() {
  switch (state_) {
    case State::kReady:
    case State::kTakingData:
      return;
    case State::kAnswered:
      state_ = State::kReady;
      return;
    case State::kOpening:
      state_ = State::kTakingData;
      if (left_ == 0) end(target_.finish());
      return;
    case State::kGivingData:
      return give_data();
  }
}

void Session::take_nack() {
  if (state_ == State::kReady || state_ == State::kTakingData) return;
  out_ = unacknowledged_;
}

void Session::take_abort() {
  switch (state_) {
    case State::kReady:
      return;
    case State::kAnswered:
      state_ = State::kReady;
      return;
    case State::kOpening:
    case State::kTakingData:
    case State::kGivingData:
      target_.abandon();
      return end(StatusCode::kAbortDataPhase);
  }
}

void Session::take_command() {
  const auto payload = reader_.payload();
  if (!payload.empty() && payload.front() >= kFirstResponse) return;
  abandon();
  say(FrameType::kAck);
  const auto command = decode_packet(payload);
  if (!command) {
    command_ = payload.empty() ? Tag{} : static_cast<Tag>(payload.front());
    return end(StatusCode::kInvalidArgument);
  }
  command_ = command->tag;
  const auto reply = target_.execute(*command);
  left_ = reply.length;
  outcome_ = StatusCode::kSuccess;
  switch (reply.data) {
    case Reply::Data::kNone:
      state_ = State::kAnswered;
      break;
    case Reply::Data::kFromHost:
      state_ = State::kOpening;
      break;
    case Reply::Data::kToHost:
      state_ = State::kGivingData;
      break;
  }
  say(FrameType::kCommand, encode_packet(reply.packet));
}

void Session::take_data() {
  if (state_ == State::kAnswered) state_ = State::kReady;
  if (state_ == State::kOpening) state_ = State::kTakingData;
  if (state_ == State::kGivingData) return;
  if (state_ != State::kTakingData) return say(FrameType::kNack);

  const auto data = reader_.payload();
  if (data.empty()) {
    say(FrameType::kAck);
    target_.abandon();
    return end(StatusCode::kAbortDataPhase);
  }
  // More than was announced, or more at once than the property says.
  auto status = StatusCode::kInvalidArgument;
  if (data.size() <= left_ && data.size() <= target_.largest_packet()) status = target_.write(data);
  if (status != StatusCode::kSuccess) {
    say(FrameType::kAbort);
    target_.abandon();
    return end(status);
  }
  say(FrameType::kAck);
  left_ -= data.size();
  if (left_ == 0) end(target_.finish());
}

void Session::abandon() {
  switch (state_) {
    case State::kReady:
    case State::kAnswered:
      break;
    case State::kOpening:
    case State::kTakingData:
    case State::kGivingData:
      target_.abandon();
      break;
  }
  state_ = State::kReady;
}

void Session::give_data() {
  if (outcome_ != StatusCode::kSuccess) return end(outcome_);
  if (left_ == 0) return end(target_.finish());
  const auto size = std::min<std::uint64_t>(left_, target_.largest_packet());
  core::Bytes data(static_cast<std::size_t>(size));
  if (const auto status = target_.read(data); status != StatusCode::kSuccess) {
    target_.abandon();
    // A DATA frame of no bytes says that no more will come; the end follows its ACK.
    outcome_ = status;
    return say(FrameType::kData, {});
  }
  left_ -= size;
  say(FrameType::kData, data);
}

void Session::end(StatusCode status) {
  state_ = State::kAnswered;
  say(FrameType::kCommand, encode_packet(generic_response(status, command_)));
}

void Session::say(FrameType type, core::ByteView payload) {
  unacknowledged_.clear();
  append_frame(unacknowledged_, type, payload);
  out_.insert(out_.end(), unacknowledged_.begin(), unacknowledged_.end());
}

}  // namespace tallystick::mboot
