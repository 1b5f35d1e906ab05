// The conversation on a line: a session in front of a target that writes down what it is told.
#include "devicesim/mboot/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "tests/devicesim/mboot/hex.h"

namespace tallystick::test {
namespace {

using core::Bytes;
using core::ByteView;
using mboot::FrameType;
using mboot::Packet;
using mboot::Reply;
using mboot::StatusCode;
using mboot::Tag;

constexpr std::size_t kLargest = 32;

// Takes what write-memory sends, gives what read-memory asks for, and can be told to fail.
class Notebook : public mboot::Target {
 public:
  [[nodiscard]] std::uint32_t protocol_version() const override { return 0x50010300; }
  [[nodiscard]] std::size_t largest_packet() const override { return kLargest; }

  Reply execute(const Packet& command) override {
    EXPECT_FALSE(busy_) << "a command within the data phase of another";
    ++commands_;
    Reply reply;
    switch (command.tag) {
      case Tag::kWriteMemory:
        reply.packet = mboot::generic_response(refuse_, command.tag);
        if (refuse_ != StatusCode::kSuccess) return reply;
        reply.data = Reply::Data::kFromHost;
        reply.length = command.parameters.at(1);
        break;
      case Tag::kReadMemory:
        reply.packet = mboot::response(Tag::kReadMemoryResponse, StatusCode::kSuccess,
                                       {command.parameters.at(1)});
        reply.packet.flags = mboot::kDataPhaseFollows;
        reply.data = Reply::Data::kToHost;
        reply.length = command.parameters.at(1);
        break;
      default:
        reply.packet = mboot::generic_response(StatusCode::kUnknownCommand, command.tag);
        return reply;
    }
    busy_ = true;
    staged_.clear();
    given_ = 0;
    return reply;
  }
  StatusCode write(ByteView data) override {
    EXPECT_TRUE(busy_);
    if (fail_data_) return StatusCode::kSignature;
    staged_.insert(staged_.end(), data.begin(), data.end());
    return StatusCode::kSuccess;
  }
  StatusCode read(core::MutableByteView out) override {
    EXPECT_TRUE(busy_);
    if (fail_data_) return StatusCode::kFail;
    for (auto& byte : out) byte = given_++;
    return StatusCode::kSuccess;
  }
  StatusCode finish() override {
    EXPECT_TRUE(busy_);
    busy_ = false;
    memory_ = staged_;
    return finish_;
  }
  void abandon() override {
    abandoned_ += busy_ ? 1 : 0;
    busy_ = false;
  }

  Bytes memory_;  // what the last whole write-memory brought
  Bytes staged_;
  std::uint8_t given_ = 0;
  bool busy_ = false;
  bool fail_data_ = false;
  StatusCode refuse_{};
  StatusCode finish_{};
  unsigned abandoned_ = 0;
  unsigned commands_ = 0;
};

Bytes frame(FrameType type) {
  Bytes out;
  mboot::append_frame(out, type);
  return out;
}
Bytes frame(FrameType type, ByteView payload) {
  Bytes out;
  mboot::append_frame(out, type, payload);
  return out;
}
Bytes command(Tag tag, const std::vector<std::uint32_t>& parameters, std::uint8_t flags = 0) {
  return frame(FrameType::kCommand, mboot::encode_packet({tag, flags, parameters}));
}
Bytes generic(StatusCode status, Tag tag) {
  return frame(FrameType::kCommand, mboot::encode_packet(mboot::generic_response(status, tag)));
}
Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Bytes kAck = frame(FrameType::kAck);
const Bytes kNack = frame(FrameType::kNack);
const Bytes kAbort = frame(FrameType::kAbort);
const Bytes kPing = frame(FrameType::kPing);
const Bytes kPingResponse = from_hex("5AA7 00030150 0000 FB40");

class Sessions : public ::testing::Test {
 protected:
  // All that the part says to these bytes.
  Bytes say(const Bytes& bytes) {
    Bytes said;
    ByteView input = bytes;
    for (;;) {
      const auto answer = session_.receive(input);
      if (answer.bytes.empty()) break;
      said.insert(said.end(), answer.bytes.begin(), answer.bytes.end());
    }
    EXPECT_TRUE(input.empty());
    return said;
  }
  void begin_write(std::uint32_t length) {
    ASSERT_EQ(say(command(Tag::kWriteMemory, {0x20008000, length, 0}, 1)),
              kAck + generic(StatusCode::kSuccess, Tag::kWriteMemory));
  }
  void begin_read(std::uint32_t length) {
    const Packet packet{Tag::kReadMemoryResponse, 1, {0, length}};
    ASSERT_EQ(say(command(Tag::kReadMemory, {0x20008000, length, 0})),
              kAck + frame(FrameType::kCommand, mboot::encode_packet(packet)));
  }
  void expect_usable() {
    EXPECT_EQ(say(kPing), kPingResponse);
    begin_write(3);
    EXPECT_EQ(say(kAck), Bytes());
    EXPECT_EQ(say(frame(FrameType::kData, from_hex("AABBCC"))),
              kAck + generic(StatusCode::kSuccess, Tag::kWriteMemory));
    EXPECT_EQ(say(kAck), Bytes());
    EXPECT_EQ(target_.memory_, from_hex("AABBCC"));
  }

  Notebook target_;
  mboot::Session session_{target_};
};

TEST_F(Sessions, AnswerPings) {
  EXPECT_EQ(say(kPing), kPingResponse);
  EXPECT_EQ(say(kPing + kPing), kPingResponse + kPingResponse);
  EXPECT_EQ(say(from_hex("0000") + kPing), kPingResponse);
  expect_usable();
}

TEST_F(Sessions, P01_AnswerAMillionPings) {
  for (unsigned i = 0; i < 1'000'000; ++i) {
    ByteView input = kPing;
    ASSERT_EQ(session_.receive(input).bytes.size(), kPingResponse.size());
  }
  expect_usable();
}

TEST_F(Sessions, AnswerACommandByteByByte) {
  // The traces of the protocol's page.
  EXPECT_EQ(say(from_hex("5AA4 0C00 4B33 07000002 01000000 00000000")),
            from_hex("5AA1") + generic(StatusCode::kUnknownCommand, Tag::kGetProperty));
  EXPECT_EQ(say(from_hex("5AA1")), Bytes());
  EXPECT_EQ(say(from_hex("5AA4 1000") + Bytes()), Bytes()) << "half a frame";
  session_.silence();
  begin_write(4);
  EXPECT_EQ(say(kAck), Bytes());
  EXPECT_EQ(say(from_hex("5AA5 0400 12ED 01020304")),
            from_hex("5AA1 5AA4 0C00 2372 A0000002 00000000 04000000"));
}

TEST_F(Sessions, TakeDataInSeveralFrames) {
  begin_write(kLargest + 5);
  EXPECT_EQ(say(kAck), Bytes());
  EXPECT_EQ(say(frame(FrameType::kData, Bytes(kLargest, 1))), kAck);
  EXPECT_TRUE(target_.memory_.empty()) << "nothing before the end";
  EXPECT_EQ(say(frame(FrameType::kData, Bytes(5, 2))),
            kAck + generic(StatusCode::kSuccess, Tag::kWriteMemory));
  EXPECT_EQ(target_.memory_, Bytes(kLargest, 1) + Bytes(5, 2));
}

TEST_F(Sessions, GiveDataFrameByFrameAsItIsAcknowledged) {
  begin_read(kLargest + 2);
  Bytes first(kLargest);
  std::iota(first.begin(), first.end(), 0);
  EXPECT_EQ(say(kAck), frame(FrameType::kData, first));
  EXPECT_EQ(say(kAck), frame(FrameType::kData, from_hex("2021")));
  EXPECT_EQ(say(kAck), generic(StatusCode::kSuccess, Tag::kReadMemory));
  EXPECT_EQ(say(kAck), Bytes());
  EXPECT_EQ(say(kAck), Bytes()) << "one too many";
  expect_usable();
}

TEST_F(Sessions, SayNothingMoreUntilTheyAreAcknowledged) {
  begin_read(kLargest * 3);
  EXPECT_EQ(say(from_hex("0000 00 FF 5A")), Bytes());
  EXPECT_EQ(say(from_hex("A1")).size(), 6 + kLargest) << "the ACK came in two pieces";
}

TEST_F(Sessions, HaveDataPhasesOfNoBytes) {
  begin_write(0);
  EXPECT_EQ(say(kAck), generic(StatusCode::kSuccess, Tag::kWriteMemory));
  EXPECT_EQ(say(kAck), Bytes());
  begin_read(0);
  EXPECT_EQ(say(kAck), generic(StatusCode::kSuccess, Tag::kReadMemory));
  EXPECT_EQ(say(kAck), Bytes());
  expect_usable();
}

TEST_F(Sessions, HaveNoDataPhaseAfterARefusal) {
  target_.refuse_ = StatusCode::kMemoryRange;
  EXPECT_EQ(say(command(Tag::kWriteMemory, {0, 4, 0}, 1)),
            kAck + generic(StatusCode::kMemoryRange, Tag::kWriteMemory));
  EXPECT_EQ(say(kAck), Bytes());
  EXPECT_EQ(say(frame(FrameType::kData, Bytes(4, 1))), kNack);
  target_.refuse_ = StatusCode::kSuccess;
  expect_usable();
}

TEST_F(Sessions, TakeAFollowingFrameForALostAck) {
  begin_write(4);  // its ACK is lost
  EXPECT_EQ(say(frame(FrameType::kData, from_hex("01020304"))),
            kAck + generic(StatusCode::kSuccess, Tag::kWriteMemory));
  begin_read(1);  // so is that of the response before
  EXPECT_EQ(say(kAck), frame(FrameType::kData, from_hex("00")));
  EXPECT_EQ(say(kAck), generic(StatusCode::kSuccess, Tag::kReadMemory));
  EXPECT_EQ(say(kPing), kPingResponse);
  expect_usable();
}

TEST_F(Sessions, SayAFrameAgainAfterANack) {
  begin_read(2);
  const auto data = frame(FrameType::kData, from_hex("0001"));
  EXPECT_EQ(say(kAck), data);
  EXPECT_EQ(say(kNack), data);
  EXPECT_EQ(say(kNack + kNack), data + data);
  const auto end = generic(StatusCode::kSuccess, Tag::kReadMemory);
  EXPECT_EQ(say(kAck), end);
  EXPECT_EQ(say(kNack), end);
  EXPECT_EQ(say(kAck), Bytes());
  EXPECT_EQ(say(kNack), Bytes()) << "nothing is left to say again";
}

TEST_F(Sessions, RefuseDamagedFramesAndTakeThemAgain) {
  auto damaged = command(Tag::kReset, {});
  damaged[4] ^= 1U;
  EXPECT_EQ(say(damaged), kNack);
  EXPECT_EQ(target_.commands_, 0U);
  begin_write(4);
  EXPECT_EQ(say(kAck), Bytes());
  const auto good = frame(FrameType::kData, from_hex("01020304"));
  auto bad = good;
  bad.back() ^= 0x80U;
  EXPECT_EQ(say(bad), kNack);
  EXPECT_EQ(say(good), kAck + generic(StatusCode::kSuccess, Tag::kWriteMemory));
  EXPECT_EQ(target_.memory_, from_hex("01020304"));
}

TEST_F(Sessions, TakeADamagedFrameForALostAckToo) {
  begin_write(4);
  auto bad = frame(FrameType::kData, from_hex("01020304"));
  bad.back() ^= 0x80U;
  EXPECT_EQ(say(bad), kNack);
  EXPECT_EQ(say(frame(FrameType::kData, from_hex("01020304"))),
            kAck + generic(StatusCode::kSuccess, Tag::kWriteMemory));
}

TEST_F(Sessions, EndADataPhaseThatTheHostAborts) {
  for (const auto& abort : {frame(FrameType::kData, {}), frame(FrameType::kAbort)}) {
    begin_write(8);
    EXPECT_EQ(say(kAck), Bytes());
    EXPECT_EQ(say(frame(FrameType::kData, from_hex("0102"))), kAck);
    const auto end = generic(StatusCode::kAbortDataPhase, Tag::kWriteMemory);
    EXPECT_EQ(say(abort), abort == kAbort ? end : kAck + end);
    EXPECT_EQ(say(kAck), Bytes());
    EXPECT_TRUE(target_.memory_.empty());
  }
  EXPECT_EQ(target_.abandoned_, 2U);
  begin_read(100);
  EXPECT_EQ(say(kAbort), generic(StatusCode::kAbortDataPhase, Tag::kReadMemory));
  EXPECT_EQ(target_.abandoned_, 3U);
  expect_usable();
}

TEST_F(Sessions, AbortADataPhaseThatFailsAndSayWhy) {
  target_.fail_data_ = true;
  begin_write(8);
  EXPECT_EQ(say(kAck), Bytes());
  EXPECT_EQ(say(frame(FrameType::kData, from_hex("0102"))),
            kAbort + generic(StatusCode::kSignature, Tag::kWriteMemory));
  EXPECT_EQ(say(kAck), Bytes());
  begin_read(8);
  EXPECT_EQ(say(kAck), frame(FrameType::kData, {})) << "data abort";
  EXPECT_EQ(say(kAck), generic(StatusCode::kFail, Tag::kReadMemory));
  EXPECT_EQ(say(kAck), Bytes());
  EXPECT_EQ(target_.abandoned_, 2U);
  target_.fail_data_ = false;
  target_.finish_ = StatusCode::kRollbackBlocked;
  begin_write(1);
  EXPECT_EQ(say(kAck), Bytes());
  EXPECT_EQ(say(frame(FrameType::kData, from_hex("01"))),
            kAck + generic(StatusCode::kRollbackBlocked, Tag::kWriteMemory));
  target_.finish_ = StatusCode::kSuccess;
  expect_usable();
}

TEST_F(Sessions, P01_TakeNoMoreDataThanWasAnnounced) {
  begin_write(3);
  EXPECT_EQ(say(kAck), Bytes());
  EXPECT_EQ(say(frame(FrameType::kData, Bytes(4, 1))),
            kAbort + generic(StatusCode::kInvalidArgument, Tag::kWriteMemory));
  EXPECT_EQ(say(kAck), Bytes());
  begin_write(0);
  EXPECT_EQ(say(frame(FrameType::kData, Bytes(1, 1))),
            kAbort + generic(StatusCode::kInvalidArgument, Tag::kWriteMemory));
  EXPECT_EQ(say(kAck), Bytes());
  begin_write(100);
  EXPECT_EQ(say(kAck), Bytes());
  EXPECT_EQ(say(frame(FrameType::kData, Bytes(kLargest + 1, 1))),
            kAbort + generic(StatusCode::kInvalidArgument, Tag::kWriteMemory))
      << "more at once than the property says";
  EXPECT_TRUE(target_.memory_.empty());
  expect_usable();
}

TEST_F(Sessions, ForgetAHostThatVanishedInADataPhase) {
  begin_write(8);
  EXPECT_EQ(say(kAck), Bytes());
  EXPECT_EQ(say(frame(FrameType::kData, from_hex("0102"))), kAck);
  expect_usable();  // begins with a ping
  EXPECT_EQ(target_.abandoned_, 1U);
  begin_write(8);
  expect_usable();
  begin_read(100);
  EXPECT_FALSE(say(kAck).empty());
  expect_usable();
  EXPECT_EQ(target_.abandoned_, 3U);
  begin_write(8);
  EXPECT_EQ(say(kAck), Bytes());
  begin_read(2) /* a host that does not ping */;
  EXPECT_EQ(target_.abandoned_, 4U);
  session_.hang_up();
  EXPECT_EQ(target_.abandoned_, 5U);
  EXPECT_EQ(say(kAck), Bytes());
  expect_usable();
}

TEST_F(Sessions, ForgetHalfAFrameAfterSilence) {
  const auto whole = command(Tag::kWriteMemory, {0, 4, 0}, 1);
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    EXPECT_EQ(say({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut)}), Bytes());
    EXPECT_TRUE(session_.within_frame());
    session_.silence();
    EXPECT_FALSE(session_.within_frame());
    expect_usable();
  }
}

TEST_F(Sessions, RefuseFramesInTheWrongPhase) {
  EXPECT_EQ(say(frame(FrameType::kData, from_hex("01"))), kNack);
  EXPECT_EQ(say(frame(FrameType::kData, {})), kNack);
  EXPECT_EQ(say(kAck + kNack + kAbort), Bytes());
  EXPECT_EQ(say(kPingResponse), Bytes());
  begin_read(4);
  EXPECT_EQ(say(frame(FrameType::kData, from_hex("01"))), Bytes()) << "dropped";
  EXPECT_EQ(say(kAck), frame(FrameType::kData, from_hex("00010203"))) << "and the read goes on";
  expect_usable();
}

TEST_F(Sessions, P01_DoNotTalkToTheirOwnEcho) {
  auto bad = command(Tag::kReset, {});
  bad.back() ^= 1U;
  for (const auto& begin :
       {kPing, bad, command(Tag::kReset, {}), command(Tag::kReadMemory, {0, 70, 0}),
        command(Tag::kWriteMemory, {0, 70, 0}, 1), frame(FrameType::kData, from_hex("01"))}) {
    auto said = say(begin);
    unsigned rounds = 0;
    for (; !said.empty() && rounds < 20; ++rounds) said = say(said);
    EXPECT_LT(rounds, 20U) << core::to_hex(begin);
    session_.silence();
    expect_usable();
  }
}

TEST_F(Sessions, P03_RefusePacketsThatLieAboutThemselves) {
  for (const auto* payload : {"", "07", "07000003 00000000", "070000FF", "07000100"}) {
    const auto bytes = from_hex(payload);
    const auto tag = bytes.empty() ? Tag{} : Tag::kGetProperty;
    EXPECT_EQ(say(frame(FrameType::kCommand, bytes)),
              kAck + generic(StatusCode::kInvalidArgument, tag));
    EXPECT_EQ(say(kAck), Bytes());
  }
  EXPECT_EQ(target_.commands_, 0U);
}

TEST_F(Sessions, SayWhenAHostBeginsAnew) {
  const auto line = kPing + command(Tag::kReset, {});
  ByteView input = line;
  EXPECT_TRUE(session_.receive(input).begins_anew);
  EXPECT_FALSE(session_.receive(input).begins_anew);
}

// Whatever came before, a host that begins with silence and a ping is served.
TEST_F(Sessions, P01_AreUsableAfterAnything) {
  std::mt19937 dice(11);
  const std::vector<Bytes> words = {kAck,
                                    kNack,
                                    kAbort,
                                    kPing,
                                    kPingResponse,
                                    frame(FrameType::kData, {}),
                                    frame(FrameType::kData, Bytes(3, 1)),
                                    frame(FrameType::kData, Bytes(kLargest, 2)),
                                    command(Tag::kWriteMemory, {0, 70, 0}, 1),
                                    command(Tag::kReadMemory, {0, 70, 0}),
                                    command(Tag::kReset, {}),
                                    from_hex("5AA4FFFF0000"),
                                    from_hex("5AA52000"),
                                    from_hex("5A")};
  for (unsigned round = 0; round < 3000; ++round) {
    target_.fail_data_ = dice() % 4 == 0;
    Bytes line;
    for (auto n = dice() % 12; n > 0; --n) line = line + words[dice() % words.size()];
    if (!line.empty() && dice() % 2 == 0) line[dice() % line.size()] ^= 0x21U;
    say(line);
    target_.fail_data_ = false;
    session_.silence();
    expect_usable();
    ASSERT_FALSE(HasFailure()) << core::to_hex(line);
  }
}

}  // namespace
}  // namespace tallystick::test
