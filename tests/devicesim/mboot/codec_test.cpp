// Frames and packets of mboot, byte by byte, and the reader on lines that cut, damage and lie.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "devicesim/mboot/crc16.h"
#include "devicesim/mboot/frame_reader.h"
#include "devicesim/mboot/packet.h"
#include "tests/devicesim/mboot/hex.h"

namespace tallystick::test {
namespace {

using core::Bytes;
using core::ByteView;
using mboot::FrameReader;
using mboot::FrameType;
using mboot::Packet;
using mboot::StatusCode;
using mboot::Tag;
using Event = FrameReader::Event;

constexpr std::size_t kMost = 64;

Bytes framed(FrameType type, ByteView payload) {
  Bytes out;
  mboot::append_frame(out, type, payload);
  return out;
}

// Everything that a reader finds in pieces of random sizes: the types, a 0 for what was damaged,
// and the payloads one after the other.
struct Found {
  Bytes types;
  Bytes payloads;
  bool operator==(const Found&) const = default;
};

Found read_all(ByteView line, std::mt19937* dice = nullptr) {
  FrameReader reader(kMost);
  Found found;
  while (!line.empty()) {
    std::size_t size = line.size();
    if (dice != nullptr) size = 1 + (*dice)() % std::min<std::size_t>(size, 7);
    auto piece = line.first(size);
    line = line.subspan(size);
    for (;;) {
      const auto event = reader.next(piece);
      if (event == Event::kNone) break;
      const bool whole = event == Event::kFrame;
      found.types.push_back(whole ? static_cast<std::uint8_t>(reader.type()) : 0);
      if (!whole) continue;
      found.payloads.insert(found.payloads.end(), reader.payload().begin(), reader.payload().end());
    }
    EXPECT_TRUE(piece.empty());
  }
  return found;
}

TEST(Crc16, IsThatOfTheProtocol) {
  EXPECT_EQ(mboot::crc16(core::bytes_of("123456789")), 0x31C3) << "the check value of XMODEM";
  EXPECT_EQ(mboot::crc16(from_hex("5AA7 00030150 0000")), 0x40FB);
  EXPECT_EQ(mboot::crc16({}), 0);
}

TEST(Crc16, CanBeTakenInPieces) {
  const auto whole = core::bytes_of("a line in two pieces");
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    EXPECT_EQ(mboot::crc16(whole.subspan(cut), mboot::crc16(whole.first(cut))),
              mboot::crc16(whole));
  }
}

TEST(Frames, AreWrittenAsTheProtocolHasThem) {
  Bytes out;
  mboot::append_ping_response(out, 0x50010300, 0);
  EXPECT_EQ(out, from_hex("5AA7 00030150 0000 FB40"));
  out.clear();
  for (const auto type : {FrameType::kAck, FrameType::kNack, FrameType::kAbort, FrameType::kPing}) {
    mboot::append_frame(out, type);
  }
  EXPECT_EQ(out, from_hex("5AA1 5AA2 5AA3 5AA6"));
  EXPECT_EQ(framed(FrameType::kCommand, from_hex("07000002 01000000 00000000")),
            from_hex("5AA4 0C00 4B33 07000002 01000000 00000000"));
  EXPECT_EQ(framed(FrameType::kCommand, from_hex("A0000002 00000000 04000000")),
            from_hex("5AA4 0C00 2372 A0000002 00000000 04000000"));
  EXPECT_EQ(framed(FrameType::kCommand, from_hex("0B000000")), from_hex("5AA4 0400 6F46 0B000000"));
  EXPECT_EQ(framed(FrameType::kData, from_hex("01020304")), from_hex("5AA5 0400 12ED 01020304"));
  EXPECT_EQ(framed(FrameType::kData, {}), from_hex("5AA5 0000 FC4B")) << "a data abort";
}

TEST(FrameReaders, FindEveryKindOfFrame) {
  FrameReader reader(kMost);
  const auto line = from_hex(
      "5AA1 5AA2 5AA3 5AA6 5AA7 00030150 0000 FB40 5AA4 0400 6F46 0B000000 5AA5 0000 FC4B");
  ByteView input = line;
  for (const auto type : {FrameType::kAck, FrameType::kNack, FrameType::kAbort, FrameType::kPing,
                          FrameType::kPingResponse, FrameType::kCommand, FrameType::kData}) {
    ASSERT_EQ(reader.next(input), Event::kFrame);
    EXPECT_EQ(reader.type(), type);
    if (type == FrameType::kPingResponse) {
      EXPECT_EQ(reader.version(), 0x50010300U);
      EXPECT_EQ(reader.options(), 0U);
    }
    if (type == FrameType::kCommand) {
      EXPECT_EQ(Bytes(reader.payload().begin(), reader.payload().end()), from_hex("0B000000"));
    } else {
      EXPECT_TRUE(reader.payload().empty());
    }
  }
  EXPECT_EQ(reader.next(input), Event::kNone);
  EXPECT_FALSE(reader.within_frame());
}

TEST(FrameReaders, PassOverZerosAndGarbageBeforeAFrame) {
  EXPECT_EQ(read_all(from_hex("000000 5AA6")).types, from_hex("A6"));
  EXPECT_EQ(read_all(from_hex("FFA65B A4 5AA6")).types, from_hex("A6"));
  EXPECT_EQ(read_all(from_hex("5A5A5AA6")).types, from_hex("A6")) << "a start byte too many";
  EXPECT_EQ(read_all(from_hex("5A00 5AA8 5AFF 5AA6")).types, from_hex("A6")) << "unknown types";
  EXPECT_EQ(read_all(from_hex("5A00A6")).types, Bytes());
}

TEST(FrameReaders, TakeFramesUpToTheCapAndNoLonger) {
  EXPECT_EQ(read_all(framed(FrameType::kData, Bytes(kMost, 7))).types, from_hex("A5"));
  EXPECT_EQ(read_all(framed(FrameType::kData, Bytes(kMost + 1, 7))).types, from_hex("00"));
}

TEST(FrameReaders, P01_NeverWaitForALengthBeyondTheCap) {
  EXPECT_EQ(read_all(from_hex("5AA5 FFFF 0000 5AA6")).types, from_hex("00A6"));
  EXPECT_EQ(read_all(from_hex("5AA4 4100 0000 5AA6")).types, from_hex("00A6"));
}

TEST(FrameReaders, NoticeEveryFlippedBit) {
  const auto good = framed(FrameType::kCommand, from_hex("07000002 01000000 00000000"));
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    // What a shorter or longer length leaves or takes away is made up by a run of zeros.
    bad.resize(bad.size() + kMost);
    const auto found = read_all(bad);
    EXPECT_EQ(std::count(found.types.begin(), found.types.end(), 0xA4), 0) << "bit " << bit;
  }
}

TEST(FrameReaders, DropAPingResponseWithAWrongCrc) {
  EXPECT_EQ(read_all(from_hex("5AA7 00030151 0000 FB40 5AA6")).types, from_hex("00A6"));
}

TEST(FrameReaders, FindTheSameHoweverTheLineIsCut) {
  std::mt19937 dice(7);
  for (unsigned round = 0; round < 2000; ++round) {
    Bytes line;
    for (auto n = dice() % 8; n > 0; --n) {
      switch (dice() % 6) {
        case 0:
          mboot::append_frame(line, FrameType::kPing);
          break;
        case 1:
          mboot::append_ping_response(line, static_cast<std::uint32_t>(dice()), 0);
          break;
        case 2:  // garbage
          for (auto i = dice() % 20; i > 0; --i) {
            line.push_back(dice() % 3 == 0 ? 0x5A : static_cast<std::uint8_t>(dice()));
          }
          break;
        default: {
          Bytes payload(dice() % (kMost + 4));
          for (auto& byte : payload) byte = static_cast<std::uint8_t>(dice());
          auto whole = framed(dice() % 2 == 0 ? FrameType::kCommand : FrameType::kData, payload);
          if (dice() % 4 == 0) whole[dice() % whole.size()] ^= 0x10;
          if (dice() % 4 == 0) whole.resize(dice() % whole.size() + 1);
          line.insert(line.end(), whole.begin(), whole.end());
        }
      }
    }
    ASSERT_EQ(read_all(line), read_all(line, &dice)) << core::to_hex(line);
  }
}

TEST(FrameReaders, AreAtAFrameAgainAfterAnyGarbageAndARestart) {
  std::mt19937 dice(8);
  for (unsigned round = 0; round < 1000; ++round) {
    FrameReader reader(kMost);
    Bytes garbage(dice() % 200);
    for (auto& byte : garbage) byte = dice() % 4 == 0 ? 0x5A : static_cast<std::uint8_t>(dice());
    ByteView input = garbage;
    while (reader.next(input) != Event::kNone) {
    }
    reader.restart();
    const auto ping = from_hex("5AA6");
    input = ping;
    ASSERT_EQ(reader.next(input), Event::kFrame);
    ASSERT_EQ(reader.type(), FrameType::kPing);
  }
}

TEST(Packets, AreWrittenAndReadAsTheProtocolHasThem) {
  const Packet get{Tag::kGetProperty, 0, {1, 0}};
  EXPECT_EQ(mboot::encode_packet(get), from_hex("07000002 01000000 00000000"));
  EXPECT_EQ(mboot::decode_packet(from_hex("07000002 01000000 00000000")), get);
  const Packet write{Tag::kWriteMemory, mboot::kDataPhaseFollows, {0x20008000, 16, 0}};
  EXPECT_EQ(mboot::encode_packet(write), from_hex("04010003 00800020 10000000 00000000"));
  EXPECT_TRUE(write.has_data_phase());
  EXPECT_EQ(mboot::encode_packet(
                mboot::generic_response(StatusCode::kAbortDataPhase, Tag::kReceiveSbFile)),
            from_hex("A0000002 12270000 08000000"));
  EXPECT_EQ(mboot::encode_packet(
                mboot::response(Tag::kGetPropertyResponse, StatusCode::kUnknownProperty)),
            from_hex("A7000001 3C280000"));
}

TEST(Packets, CarryNineParameters) {
  Packet trust{Tag::kTrustProvisioning, 0, {0, 1, 2, 3, 4, 5, 6, 7, 8}};
  const auto bytes = mboot::encode_packet(trust);
  EXPECT_EQ(bytes.size(), 40U);
  EXPECT_EQ(mboot::decode_packet(bytes), trust);
  trust.parameters.push_back(9);
  EXPECT_FALSE(mboot::decode_packet(mboot::encode_packet(trust)));
}

TEST(Packets, P03_HaveNoByteTooManyOrTooFew) {
  for (const auto* bad : {"", "07", "070000", "07000001", "07000001 010000", "07000001 0100000000",
                          "07000000 00", "070000FF 00000000", "07000100 ", "07000101 00000000"}) {
    EXPECT_FALSE(mboot::decode_packet(from_hex(bad))) << bad;
  }
}

TEST(StatusCodes, AreTheNumbersOfTheProtocolAndHaveNames) {
  EXPECT_EQ(static_cast<unsigned>(StatusCode::kUnknownCommand), 10000U);
  EXPECT_EQ(mboot::status_name(StatusCode::kSecurityViolation), "security violation");
  EXPECT_EQ(mboot::status_name(static_cast<StatusCode>(77)), "unknown status");
  EXPECT_EQ(mboot::tag_name(Tag::kReceiveSbFile), "receive-sb-file");
  EXPECT_EQ(mboot::tag_name(static_cast<Tag>(0x77)), "unknown command");
}

}  // namespace
}  // namespace tallystick::test
