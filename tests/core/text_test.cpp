#include "core/ts1/text.h"

#include <gtest/gtest.h>

namespace tallystick::core {
namespace {

struct Sample {
  const char* what;
  std::string_view bytes;
};

TEST(Utf8, AcceptsEveryLengthOfSequence) {
  for (const std::string_view text :
       {"", "plain", "Schl\xC3\xBCssel", "\xE2\x82\xAC", "\xF0\x9F\x94\x91", "\xC2\x80", "\xDF\xBF",
        "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80",
        "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(valid_utf8(bytes_of(text))) << to_hex(bytes_of(text));
  }
}

TEST(Utf8, RefusesWhatRfc3629Refuses) {
  const Sample samples[] = {
      {"a lone continuation byte", "\x80"},
      {"two bytes, cut", "\xC3"},
      {"two bytes, wrong second", "\xC3\x28"},
      {"overlong slash", "\xC0\xAF"},
      {"overlong in two bytes", "\xC1\xBF"},
      {"three bytes, cut", "\xE2\x82"},
      {"three bytes, wrong third", "\xE2\x82\x28"},
      {"overlong in three bytes", "\xE0\x9F\xBF"},
      {"first surrogate", "\xED\xA0\x80"},
      {"last surrogate", "\xED\xBF\xBF"},
      {"four bytes, cut", "\xF0\x9F\x94"},
      {"four bytes, wrong fourth", "\xF0\x9F\x94\x28"},
      {"overlong in four bytes", "\xF0\x8F\xBF\xBF"},
      {"past U+10FFFF", "\xF4\x90\x80\x80"},
      {"lead byte F5", "\xF5\x80\x80\x80"},
      {"lead byte FF", "\xFF"},
      {"good, then bad", "abc\xFE"},
  };
  for (const auto& sample : samples)
    EXPECT_FALSE(valid_utf8(bytes_of(sample.bytes))) << sample.what;
}

TEST(NameFields, RoundTripEveryLengthThatFits) {
  for (std::size_t length = 0; length <= kNameSize; ++length) {
    const std::string name(length, 'n');
    const auto field = field_from_name(name);
    ASSERT_TRUE(field.ok()) << length;
    const auto back = name_from_field(*field);
    ASSERT_TRUE(back.ok()) << length;
    EXPECT_EQ(*back, name);
  }
}

TEST(NameFields, RefuseNamesThatAreTooLongOrNotText) {
  for (const auto& name : {std::string(33, 'n'), std::string("a\0b", 3), std::string("\xC3")}) {
    const auto field = field_from_name(name);
    ASSERT_FALSE(field.ok());
    EXPECT_EQ(field.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(NameFields, RefuseAnythingAfterTheFirstZero) {
  ByteArray<kNameSize> field{};
  field[0] = 'a';
  for (std::size_t i = 2; i < kNameSize; ++i) {
    auto damaged = field;
    damaged[i] = 'b';
    const auto name = name_from_field(damaged);
    ASSERT_FALSE(name.ok()) << i;
    EXPECT_EQ(name.error().code, ErrorCode::kInconsistent);
  }
}

TEST(NameFields, RefuseASequenceThatTheEndOfTheFieldCuts) {
  ByteArray<kNameSize> field{};
  field.fill('a');
  field.back() = 0xC3;
  EXPECT_FALSE(name_from_field(field).ok());
}

TEST(Utf8, RefusesASequenceThatGoesOnBehindTheText) {
  const Bytes whole = {0xC3, 0xBC};
  EXPECT_TRUE(valid_utf8(whole));
  EXPECT_FALSE(valid_utf8(ByteView(whole).first(1)));
}

}  // namespace
}  // namespace tallystick::core
