// C_GetAttributeValue: what it fills, what it leaves alone, and what it never tells.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

constexpr CK_BYTE kUntouched = 0xEE;

// A row of attributes to ask for, each with a buffer that is filled with a pattern.
class Question {
 public:
  Question& ask(CK_ATTRIBUTE_TYPE type, std::size_t room) {
    buffers_.emplace_back(room, kUntouched);
    attributes_.push_back({type, buffers_.back().data(), room});
    return *this;
  }
  CK_RV put(TestToken& token, CK_OBJECT_HANDLE object) {
    return token->C_GetAttributeValue(token.handle(), object, attributes_.data(),
                                      attributes_.size());
  }
  [[nodiscard]] CK_ULONG length(std::size_t i) const { return attributes_[i].ulValueLen; }
  [[nodiscard]] bool untouched(std::size_t i) const {
    return std::ranges::all_of(buffers_[i], [](auto byte) { return byte == kUntouched; });
  }
  [[nodiscard]] const core::Bytes& buffer(std::size_t i) const { return buffers_[i]; }

 private:
  std::deque<core::Bytes> buffers_;
  std::vector<CK_ATTRIBUTE> attributes_;
};

TEST(ReadingAttributes, AMissingAttributeIsMarkedAndTheOthersAreFilled) {
  TestToken token;
  const auto object = data_object(token.session(), "label", false, false);
  Question question;
  question.ask(CKA_LABEL, 16).ask(CKA_EC_POINT, 16).ask(0x80000001UL, 16).ask(CKA_VALUE, 16);
  EXPECT_THAT(question.put(token, object), ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
  EXPECT_EQ(question.length(0), 5U);
  EXPECT_EQ(question.length(1), CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(question.length(2), CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(question.length(3), 5U);
  EXPECT_TRUE(question.untouched(1));
  EXPECT_TRUE(question.untouched(2));
  const auto& value = question.buffer(3);
  EXPECT_EQ(core::Bytes(value.begin(), value.begin() + 5), bytes("label"));
}

TEST(ReadingAttributes, ABufferThatIsTooSmallIsMarkedAndLeftAlone) {
  TestToken token;
  const auto object = data_object(token.session(), "label", false, false);
  Question question;
  question.ask(CKA_LABEL, 4).ask(CKA_VALUE, 5).ask(CKA_CLASS, 1);
  EXPECT_THAT(question.put(token, object), ReturnsRv(CKR_BUFFER_TOO_SMALL));
  EXPECT_EQ(question.length(0), CK_UNAVAILABLE_INFORMATION);
  EXPECT_TRUE(question.untouched(0));
  EXPECT_EQ(question.length(1), 5U);
  EXPECT_EQ(question.length(2), CK_UNAVAILABLE_INFORMATION);
  EXPECT_TRUE(question.untouched(2));
}

TEST(ReadingAttributes, A19_SensitivePartsBesideHarmlessOnesStayInside) {
  TestToken token;
  auto& session = token.session();
  const auto pair = generate_ec(session);
  const auto imported = must(session.create(secret_key(CKK_AES, core::Bytes(32, 7))));
  const auto aes = generate_aes(session);
  for (const auto key : {pair.private_key, imported, aes}) {
    Question question;
    question.ask(CKA_KEY_TYPE, 8).ask(CKA_VALUE, 128).ask(CKA_SENSITIVE, 1);
    EXPECT_THAT(question.put(token, key), ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
    EXPECT_EQ(question.length(0), sizeof(CK_ULONG));
    EXPECT_EQ(question.length(1), CK_UNAVAILABLE_INFORMATION);
    EXPECT_TRUE(question.untouched(1));
    EXPECT_EQ(question.length(2), 1U);
    EXPECT_EQ(question.buffer(2)[0], CK_TRUE);
    // Not even its length is told.
    CK_ATTRIBUTE value{CKA_VALUE, nullptr, 0};
    EXPECT_THAT(token->C_GetAttributeValue(token.handle(), key, &value, 1),
                ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
    EXPECT_EQ(value.ulValueLen, CK_UNAVAILABLE_INFORMATION);
  }
}

TEST(ReadingAttributes, OfSeveralThingsThatAreWrongTheSensitiveOneIsTold) {
  TestToken token;
  const auto key = generate_aes(token.session());
  Question question;
  question.ask(CKA_EC_POINT, 8).ask(CKA_VALUE, 64).ask(CKA_CLASS, 1);
  const auto rv = question.put(token, key);
  EXPECT_TRUE(rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
              rv == CKR_BUFFER_TOO_SMALL)
      << rv_name(rv);
  for (const std::size_t i : {0U, 1U, 2U}) {
    EXPECT_EQ(question.length(i), CK_UNAVAILABLE_INFORMATION);
    EXPECT_TRUE(question.untouched(i));
  }
}

TEST(ReadingAttributes, AnExtractableInsensitiveKeyTellsItsValue) {
  TestToken token;
  const core::Bytes value(24, 9);
  const auto key = must(token.session().create(
      secret_key(CKK_AES, value).flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true)));
  EXPECT_EQ(must(token.session().get(key, CKA_VALUE)), value);
  EXPECT_EQ(token.session().number(key, CKA_VALUE_LEN), 24U);
}

TEST(ReadingAttributes, A17_NoCheckValueIsTheFirstBytesOfAnEncryptedZero) {
  TestToken token;
  // AES-128 of the zero block under the zero key begins 66 E9 4B.
  const auto key = must(token.session().create(secret_key(CKK_AES, core::Bytes(16, 0))));
  const auto check = token.session().get(key, CKA_CHECK_VALUE);
  if (check.rv == CKR_OK) {
    EXPECT_NE(check.value, (core::Bytes{0x66, 0xE9, 0x4B}));
  } else {
    EXPECT_THAT(check.rv, ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
  }
}

TEST(ReadingAttributes, AGeneratedPairKnowsWhatItIs) {
  TestToken token;
  auto& session = token.session();
  const auto pair =
      generate_ec(session, core::Curve::kP384, Attributes().bytes(CKA_ID, core::Bytes{1, 2}),
                  Attributes().bytes(CKA_ID, core::Bytes{1, 2}));
  for (const auto key : {pair.public_key, pair.private_key}) {
    EXPECT_EQ(session.number(key, CKA_KEY_TYPE), static_cast<CK_ULONG>(CKK_EC));
    EXPECT_TRUE(session.flag(key, CKA_LOCAL));
    EXPECT_EQ(session.number(key, CKA_KEY_GEN_MECHANISM),
              static_cast<CK_ULONG>(CKM_EC_KEY_PAIR_GEN));
    EXPECT_EQ(must(session.get(key, CKA_EC_PARAMS)), ec_params(core::Curve::kP384));
    EXPECT_EQ(must(session.get(key, CKA_ID)), (core::Bytes{1, 2}));
    EXPECT_FALSE(must(session.get(key, CKA_UNIQUE_ID)).empty());
  }
  EXPECT_EQ(session.number(pair.private_key, CKA_CLASS), static_cast<CK_ULONG>(CKO_PRIVATE_KEY));
  EXPECT_TRUE(session.flag(pair.private_key, CKA_SENSITIVE));
  EXPECT_TRUE(session.flag(pair.private_key, CKA_ALWAYS_SENSITIVE));
  EXPECT_FALSE(session.flag(pair.private_key, CKA_EXTRACTABLE));
  EXPECT_TRUE(session.flag(pair.private_key, CKA_NEVER_EXTRACTABLE));
  EXPECT_EQ(public_xy(session, pair.public_key).size(), 96U);
}

}  // namespace
}  // namespace tallystick::test
