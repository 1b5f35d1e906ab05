// The host's side of a line, byte by byte.
#include "tools/station/host_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "devicesim/mboot/packet.h"

namespace tallystick::station {
namespace {

using core::Bytes;
using mboot::FrameType;
using mboot::StatusCode;
using mboot::Tag;
using std::chrono::milliseconds;

class HostSessions : public ::testing::Test {
 protected:
  static Bytes frame(FrameType type) {
    Bytes out;
    mboot::append_frame(out, type);
    return out;
  }
  static Bytes frame(FrameType type, core::ByteView payload) {
    Bytes out;
    mboot::append_frame(out, type, payload);
    return out;
  }
  static Bytes response(StatusCode status, Tag tag) {
    return frame(FrameType::kCommand, mboot::encode_packet(mboot::generic_response(status, tag)));
  }
  void hear(const Bytes& bytes) { host_.receive(bytes, now_); }
  Bytes said() { return host_.take_output(); }
  Reply reply() {
    auto answer = host_.take_answer();
    EXPECT_TRUE(answer.has_value());
    if (!answer || !std::holds_alternative<Reply>(*answer)) {
      ADD_FAILURE() << "no reply";
      return {};
    }
    return std::get<Reply>(*answer);
  }
  LineTrouble trouble() {
    auto answer = host_.take_answer();
    if (!answer || !std::holds_alternative<LineTrouble>(*answer)) {
      ADD_FAILURE() << "no trouble";
      return LineTrouble::kUnreadable;
    }
    return std::get<LineTrouble>(*answer);
  }
  Request write(std::size_t size) {
    Request request;
    request.packet = {Tag::kReceiveSbFile, 0, {static_cast<std::uint32_t>(size)}};
    request.length = size;
    request.largest_packet = 4;
    request.read = [](std::uint64_t offset, core::MutableByteView into) {
      for (auto& byte : into) byte = static_cast<std::uint8_t>(offset++);
      return true;
    };
    return request;
  }
  void begin_write(std::size_t size) {
    host_.ask(write(size), now_);
    said();
    hear(frame(FrameType::kAck));
    hear(response(StatusCode::kSuccess, Tag::kReceiveSbFile));
  }

  Clock::time_point now_{};
  HostSession host_{Patience{}};
};

TEST_F(HostSessions, PingAndTakeTheAnswerOnly) {
  host_.ping(now_);
  EXPECT_EQ(said(), (Bytes{0x5A, 0xA6}));
  hear(frame(FrameType::kAck));
  hear(response(StatusCode::kSuccess, Tag::kReset));
  EXPECT_TRUE(host_.busy()) << "what comes before is somebody else's";
  Bytes pong;
  mboot::append_ping_response(pong, 0x50010300, 0);
  hear(pong);
  EXPECT_EQ(reply().values, (std::vector<std::uint32_t>{0x50010300}));
  EXPECT_FALSE(host_.busy());
}

TEST_F(HostSessions, SendDataFrameByFrame) {
  host_.ask(write(6), now_);
  const auto command = said();
  EXPECT_EQ(command.at(7), mboot::kDataPhaseFollows);
  hear(frame(FrameType::kAck));
  EXPECT_EQ(said(), Bytes());
  hear(response(StatusCode::kSuccess, Tag::kReceiveSbFile));
  auto expected = frame(FrameType::kAck);
  const auto first = frame(FrameType::kData, Bytes{0, 1, 2, 3});
  expected.insert(expected.end(), first.begin(), first.end());
  EXPECT_EQ(said(), expected);
  EXPECT_FALSE(host_.whole_said());
  hear(frame(FrameType::kAck));
  EXPECT_EQ(said(), frame(FrameType::kData, Bytes{4, 5}));
  EXPECT_TRUE(host_.whole_said());
  EXPECT_EQ(host_.acknowledged(), 4U);
  hear(frame(FrameType::kAck));
  hear(response(StatusCode::kSuccess, Tag::kReceiveSbFile));
  EXPECT_EQ(reply().status, StatusCode::kSuccess);
}

TEST_F(HostSessions, SayAFrameAgainAfterANackAndNotForEver) {
  begin_write(8);
  said();
  const auto first = frame(FrameType::kData, Bytes{0, 1, 2, 3});
  for (int i = 0; i < 10; ++i) {
    hear(frame(FrameType::kNack));
    EXPECT_EQ(said(), first);
  }
  hear(frame(FrameType::kNack));
  EXPECT_EQ(trouble(), LineTrouble::kDamaged);
}

// An ACK that got lost and a frame that got lost look the same: a second copy would be more data.
TEST_F(HostSessions, NeverSayDataTwiceByThemselves) {
  begin_write(8);
  said();
  for (int i = 0; i < 100 && host_.busy(); ++i) {
    now_ = *host_.next_time();
    host_.tick(now_);
    EXPECT_EQ(said(), Bytes());
  }
  EXPECT_EQ(trouble(), LineTrouble::kSilent);
}

TEST_F(HostSessions, AskForADamagedFrameAgain) {
  host_.ask(write(4), now_);
  said();
  hear(frame(FrameType::kAck));
  auto bad = response(StatusCode::kSuccess, Tag::kReceiveSbFile);
  bad[10] ^= 1U;
  hear(bad);
  EXPECT_EQ(said(), frame(FrameType::kNack));
  hear(response(StatusCode::kAbortDataPhase, Tag::kReceiveSbFile));
  const auto heard = reply();
  EXPECT_EQ(heard.status, StatusCode::kAbortDataPhase);
  EXPECT_TRUE(heard.noisy);
}

TEST_F(HostSessions, TakeHalfAFrameForADamagedOneAfterSilence) {
  host_.ask(write(4), now_);
  said();
  hear(frame(FrameType::kAck));
  const auto whole = response(StatusCode::kFail, Tag::kReceiveSbFile);
  hear(Bytes(whole.begin(), whole.begin() + 9));
  now_ = *host_.next_time();
  host_.tick(now_);
  EXPECT_EQ(said(), frame(FrameType::kNack));
  hear(whole);
  EXPECT_EQ(reply().status, StatusCode::kFail);
}

TEST_F(HostSessions, TakeAResponseForTheAckThatGotLost) {
  host_.ask(write(4), now_);
  said();
  hear(response(StatusCode::kSecurityViolation, Tag::kReceiveSbFile));
  EXPECT_EQ(reply().status, StatusCode::kSecurityViolation);
}

TEST_F(HostSessions, DoNotTakeTheAnswerToAnotherCommand) {
  host_.ask(write(4), now_);
  hear(frame(FrameType::kAck));
  hear(response(StatusCode::kSuccess, Tag::kReset));
  EXPECT_EQ(trouble(), LineTrouble::kOutOfStep);
}

TEST_F(HostSessions, DoNotTakeSuccessBeforeAllIsSaid) {
  begin_write(8);
  hear(response(StatusCode::kSuccess, Tag::kReceiveSbFile));
  EXPECT_EQ(trouble(), LineTrouble::kOutOfStep);
}

TEST_F(HostSessions, EndEarlyWhenThePartAborts) {
  begin_write(8);
  hear(frame(FrameType::kAbort));
  EXPECT_TRUE(host_.busy());
  hear(response(StatusCode::kSignature, Tag::kReceiveSbFile));
  EXPECT_EQ(reply().status, StatusCode::kSignature);
}

TEST_F(HostSessions, P01_TakeNoMoreThanWasAskedFor) {
  const auto announce = [](std::uint32_t length) {
    auto packet = mboot::response(Tag::kFlashReadResourceResponse, StatusCode::kSuccess, {length});
    packet.flags = mboot::kDataPhaseFollows;
    return frame(FrameType::kCommand, mboot::encode_packet(packet));
  };
  Request request;
  request.packet = {Tag::kFlashReadResource, 0, {0, 16, 1}};
  request.response = Tag::kFlashReadResourceResponse;
  request.most_answer = 16;
  host_.ask(request, now_);
  hear(announce(17));
  EXPECT_EQ(trouble(), LineTrouble::kOutOfStep);
  host_.ask(request, now_);
  hear(announce(4));
  hear(frame(FrameType::kData, Bytes(5)));
  EXPECT_EQ(trouble(), LineTrouble::kOutOfStep) << "more than was announced";
  host_.ask(request, now_);
  hear(announce(4));
  hear(frame(FrameType::kData, Bytes(3)));
  hear(response(StatusCode::kSuccess, Tag::kFlashReadResource));
  EXPECT_EQ(trouble(), LineTrouble::kOutOfStep) << "less than was announced";
}

TEST_F(HostSessions, HearWhyAPartGivesNoMore) {
  Request request;
  request.packet = {Tag::kFlashReadResource, 0, {0, 16, 1}};
  request.response = Tag::kFlashReadResourceResponse;
  request.most_answer = 16;
  host_.ask(request, now_);
  auto packet = mboot::response(Tag::kFlashReadResourceResponse, StatusCode::kSuccess, {4});
  packet.flags = mboot::kDataPhaseFollows;
  hear(frame(FrameType::kCommand, mboot::encode_packet(packet)));
  hear(frame(FrameType::kData, Bytes()));
  // More of them buy no more time.
  const auto until = host_.next_time();
  now_ += milliseconds(100);
  hear(frame(FrameType::kData, Bytes()));
  EXPECT_EQ(host_.next_time(), until);
  hear(response(StatusCode::kFail, Tag::kFlashReadResource));
  EXPECT_EQ(reply().status, StatusCode::kFail);
}

TEST_F(HostSessions, DropTheirOwnEcho) {
  host_.ask(write(4), now_);
  const auto own = said();
  hear(own);
  EXPECT_TRUE(host_.busy());
  hear(frame(FrameType::kAck));
  hear(response(StatusCode::kFail, Tag::kReceiveSbFile));
  EXPECT_EQ(reply().status, StatusCode::kFail);
}

TEST_F(HostSessions, GiveASlowPartMoreTimeWithEachTry) {
  const auto time_for_a_ping = [&](unsigned tries) {
    host_.set_tries(tries);
    host_.ping(now_);
    const auto until = *host_.next_time();
    host_.give_up();
    return until - now_;
  };
  const Patience usual;
  EXPECT_EQ(time_for_a_ping(0), usual.ping);
  EXPECT_EQ(time_for_a_ping(1), 2 * usual.ping);
  EXPECT_EQ(time_for_a_ping(3), 8 * usual.ping);
  EXPECT_EQ(time_for_a_ping(40), usual.answer) << "and not for ever";
}

TEST_F(HostSessions, TellThePartWhenTheyGiveUp) {
  begin_write(8);
  said();
  host_.give_up();
  EXPECT_EQ(said(), frame(FrameType::kAbort));
  EXPECT_FALSE(host_.busy());
}

}  // namespace
}  // namespace tallystick::station
