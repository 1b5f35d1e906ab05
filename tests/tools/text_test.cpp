#include "tools/cli/text.h"

#include <gtest/gtest.h>

#include "tools/cli/failure.h"
#include "tools/cli/pkcs11/uri.h"

namespace tallystick::cli {
namespace {

TEST(Printable, A78_ControlCharactersComeOutEscaped) {
  EXPECT_EQ(printable("a\x1b[31mb\n\r\t\x7f"), "a\\x1b[31mb\\x0a\\x0d\\x09\\x7f");
  EXPECT_EQ(printable(std::string("a\0b", 3)), "a\\x00b");
}

TEST(Printable, A78_ControlsOfUnicodeComeOutEscaped) {
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");           // CSI
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // right-to-left override
  EXPECT_EQ(printable("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");  // isolate
  EXPECT_EQ(printable("\xe2\x80\xa8"), "\\xe2\\x80\\xa8");  // line separator
}

TEST(Printable, A78_BytesThatAreNotUtf8ComeOutEscaped) {
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xc0\x9b"), "\\xc0\\x9b");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(Printable, OrdinaryTextStaysAsItIs) {
  EXPECT_EQ(printable("Zähler – №7 😀 “x” …"), "Zähler – №7 😀 “x” …");
}

TEST(Failure, IsOneLineWhateverIsInIt) {
  const Failure failure = refused("a\nb", "c\x1b", "d");
  EXPECT_EQ(line_of(failure), "tallystick: a\\x0ab: c\\x1b (d)");
}

TEST(Hex, TakesPairsAndColonsAndNothingElse) {
  EXPECT_EQ(from_hex("00Ff"), (core::Bytes{0x00, 0xFF}));
  EXPECT_EQ(from_hex("00:ff:10"), (core::Bytes{0x00, 0xFF, 0x10}));
  EXPECT_EQ(from_hex(""), core::Bytes{});
  for (const char* wrong : {"0", "0g", ":00", "00:", "00::11", " 00", "0x00"}) {
    EXPECT_FALSE(from_hex(wrong).has_value()) << wrong;
  }
}

TEST(Hex, SecretsDecodeLikeBytes) {
  const auto secret = secret_from_hex("00:01:fe");
  ASSERT_TRUE(secret.has_value());
  EXPECT_EQ(core::to_hex(secret->view()), "0001fe");
  EXPECT_FALSE(secret_from_hex("000").has_value());
}

TEST(Uuid, TakesBothFormsAndGivesOne) {
  const auto id = uuid_from("00112233-4455-6677-8899-aabbccddeeff");
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(uuid_from("00112233445566778899AABBCCDDEEFF"), id);
  EXPECT_EQ(uuid_text(*id), "00112233-4455-6677-8899-aabbccddeeff");
  for (const char* wrong :
       {"", "00112233-4455-6677-8899-aabbccddeef", "0011223344556677",
        "00112233445-5-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeefg"}) {
    EXPECT_FALSE(uuid_from(wrong).has_value()) << wrong;
  }
}

TEST(Uri, ShowsNoPin) {
  const auto uri = parse_uri("pkcs11:token=a?pin-value=1234&module-path=/m.so");
  ASSERT_TRUE(uri.ok());
  EXPECT_EQ(uri->text().find("1234"), std::string::npos);
  EXPECT_EQ(uri->pin_value(), "1234");
  EXPECT_EQ(uri->module_path(), "/m.so");
  EXPECT_TRUE(uri->names_token());
}

TEST(Uri, ShowsNoPinHoweverItIsWritten) {
  for (const char* text : {"pkcs11:?pin-value=first&pin-value=s3cret", "pkcs11:?pin-va lue=s3cret",
                           "pkcs11:?pin-value =s3cret&module-path=/m.so",
                           "pkcs11:?pin-value=a;s3cret", "pkcs11:?pin-value=a?s3cret",
                           "pkcs11:pin-value=a&s3cret", "pkcs11:pin-value=s3cret?module-name=m"}) {
    const auto uri = parse_uri(text);
    ASSERT_TRUE(uri.ok()) << text;
    ASSERT_TRUE(uri->pin_value().has_value()) << text;
    EXPECT_NE(uri->pin_value()->find("s3cret"), std::string_view::npos) << text;
    EXPECT_EQ(uri->text().find("s3cret"), std::string::npos) << uri->text();
  }
  // What is refused is shown, too.
  const auto wrong = parse_uri("pkcs11:token=%zz?pin-value=x&pin-value=s3cret");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(line_of(wrong.error()).find("s3cret"), std::string::npos);
}

TEST(Uri, NonsenseIsAWrongCommandLine) {
  for (const char* wrong : {"", "pkcs11", "pkcs12:token=a", "pkcs11:token=%zz", "pkcs11:foo=1"}) {
    const auto uri = parse_uri(wrong);
    ASSERT_FALSE(uri.ok()) << wrong;
    EXPECT_EQ(uri.error().exit, Exit::kUsage);
  }
}

}  // namespace
}  // namespace tallystick::cli
