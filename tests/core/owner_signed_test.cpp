// What the owner of a part signs for its boot ROM and for its debug port.
#include <gtest/gtest.h>

#include "core/base/reader.h"
#include "core/ts1/application.h"
#include "core/ts1/debug_access.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

class ApplicationImages : public ::testing::Test {
 protected:
  [[nodiscard]] Bytes head_of(const Bytes& raw) const {
    Bytes head(raw);
    const auto signature = owner_.sign({raw});
    head.insert(head.end(), signature.begin(), signature.end());
    return head;
  }
  [[nodiscard]] Result<ApplicationHeader> checked(ByteView head) const {
    return check_application_head(crypto(), head, kLength, owner_.key.public_xy());
  }

  static constexpr std::uint64_t kLength = kApplicationPrefix + 1000;
  Signer owner_ = make_signer();
  ApplicationHeader header_{7, 5, 1000, random_array<48>(), "meter"};
  Bytes raw_ = must(application_header(header_));
  Bytes head_ = head_of(raw_);
};

TEST_F(ApplicationImages, SayWhatTheirHeadersSay) {
  ASSERT_EQ(raw_.size(), kApplicationHeaderSize);
  const auto header = must(checked(head_));
  EXPECT_EQ(header.version, 7U);
  EXPECT_EQ(header.floor, 5U);
  EXPECT_EQ(header.payload_length, 1000U);
  EXPECT_EQ(header.payload_digest, header_.payload_digest);
  EXPECT_EQ(header.name, "meter");
}

TEST_F(ApplicationImages, S08_RefuseEveryFlippedByte) {
  for (std::size_t at = 0; at < head_.size(); ++at) {
    auto bad = head_;
    bad[at] ^= 0x20U;
    // The magic and the length are part of check 1.
    const bool form = at < 4 || (at >= 16 && at < 24);
    EXPECT_TRUE(refused_at(checked(bad), form ? 1 : 2)) << at;
  }
  EXPECT_TRUE(refused_at(
      check_application_head(crypto(), head_, kLength, make_signer().key.public_xy()), 2));
  EXPECT_TRUE(refused_at(check_application_head(crypto(), head_, kLength, Bytes(96)), 2));
}

TEST_F(ApplicationImages, P01_P03_RefuseOtherLengthsAndSignedNonsense) {
  for (const auto length : {kLength - 1, kLength + 1, std::uint64_t{kApplicationPrefix},
                            std::uint64_t{0}, ~std::uint64_t{0}}) {
    EXPECT_TRUE(
        refused_at(check_application_head(crypto(), head_, length, owner_.key.public_xy()), 1));
  }
  EXPECT_TRUE(refused_at(checked(ByteView(head_).first(223)), 1));
  EXPECT_TRUE(refused_at(checked({}), 1));
  // Format, filler, zeros, the name's padding, a floor above the version: signed and yet refused.
  for (const std::size_t at : {5U, 7U, 24U, 31U, 111U, 112U, 127U}) {
    auto raw = raw_;
    raw[at] ^= 1U;
    EXPECT_TRUE(refused_at(checked(head_of(raw)), 3)) << at;
  }
  auto raw = raw_;
  raw[15] = 8;
  EXPECT_TRUE(refused_at(checked(head_of(raw)), 3));
}

TEST_F(ApplicationImages, P01_HaveAPayloadWhateverIsSigned) {
  // The length less the prefix, as 64 bits have it when the prefix is longer.
  for (const std::uint64_t length :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{kApplicationPrefix - 1},
        std::uint64_t{kApplicationPrefix}}) {
    auto raw = raw_;
    std::ranges::copy(be64(length - kApplicationPrefix), raw.begin() + 16);
    EXPECT_TRUE(refused_at(
        check_application_head(crypto(), head_of(raw), length, owner_.key.public_xy()), 1))
        << length;
  }
}

TEST_F(ApplicationImages, AreNotMadeOfWhatARomWouldRefuse) {
  auto bad = header_;
  bad.floor = 8;
  EXPECT_TRUE(fails_with(application_header(bad), ErrorCode::kInvalidArgument));
  bad = header_;
  bad.payload_length = 0;
  EXPECT_TRUE(fails_with(application_header(bad), ErrorCode::kInvalidArgument));
  bad.payload_length = 1ULL << 40U;
  EXPECT_TRUE(fails_with(application_header(bad), ErrorCode::kInvalidArgument));
  bad = header_;
  bad.name = std::string(33, 'a');
  EXPECT_TRUE(fails_with(application_header(bad), ErrorCode::kInvalidArgument));
}

class DebugTokens : public ::testing::Test {
 protected:
  [[nodiscard]] DebugToken token() const {
    DebugToken token;
    token.challenge = challenge_;
    token.oem_public_key = array_of<96>(owner_.key.public_xy());
    token.signature = array_of<96>(owner_.sign({debug_message(challenge_)}));
    return token;
  }

  Signer owner_ = make_signer();
  DebugChallenge challenge_{random_array<32>(), random_array<32>()};
};

TEST_F(DebugTokens, HaveTheBytesOfTheFormat) {
  Writer message;
  message.text("TS1/DEBUG").u8(0).bytes(challenge_.part_id).bytes(challenge_.nonce);
  EXPECT_EQ(debug_message(challenge_), message.take());
  Writer said;
  said.text("TSDC").u16(1).u16(0).bytes(challenge_.part_id).bytes(challenge_.nonce);
  const auto challenge = encode_debug_challenge(challenge_);
  EXPECT_EQ(challenge, said.take());
  EXPECT_EQ(must(parse_debug_challenge(challenge)), challenge_);
  const auto bytes = encode_debug_token(token());
  ASSERT_EQ(bytes.size(), kDebugTokenSize);
  const auto parsed = must(parse_debug_token(bytes));
  EXPECT_EQ(encode_debug_token(parsed), bytes);
  EXPECT_TRUE(is_ok(verify_debug_token(crypto(), parsed)));
}

TEST_F(DebugTokens, D09_P03_P06_RefuseEveryOtherFormAndEveryFlippedByte) {
  const auto bytes = encode_debug_token(token());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_debug_token(ByteView(bytes).first(size)).ok());
    EXPECT_EQ(parse_debug_challenge(ByteView(bytes).first(size)).ok(), false);
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto bad = bytes;
    bad[at] ^= 0x04U;
    const auto parsed = parse_debug_token(bad);
    EXPECT_EQ(parsed.ok(), at >= 8) << at;
    if (parsed) {
      EXPECT_TRUE(fails_with(verify_debug_token(crypto(), *parsed), ErrorCode::kBadSignature))
          << at;
    }
  }
  const auto challenge = encode_debug_challenge(challenge_);
  EXPECT_FALSE(parse_debug_token(challenge).ok());
}

}  // namespace
}  // namespace tallystick::core::testing
