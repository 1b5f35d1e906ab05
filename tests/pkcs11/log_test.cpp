// What the log says: what went wrong, and not what callers ask in the normal course.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

using ::testing::HasSubstr;

class LogLines : public ::testing::Test {
 protected:
  LogLines() {
    (void)setenv("TALLYSTICK_LOG", path().c_str(), 1);
    token_.restart_and_login();
  }
  ~LogLines() override { (void)unsetenv("TALLYSTICK_LOG"); }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;

  [[nodiscard]] std::string path() const { return token_.home().path() + ".log"; }
  // What has been written since the last time.
  std::string said() {
    const auto all = read_file(path());
    std::string fresh(all.begin() + static_cast<std::ptrdiff_t>(seen_), all.end());
    seen_ = all.size();
    return fresh;
  }
  Session& session() { return token_.session(); }

  TestToken token_;

 private:
  std::size_t seen_ = 0;
};

TEST_F(LogLines, SayNothingOfWhatCallersAskInTheNormalCourse) {
  auto data = bytes("abc");
  const auto key = generate_aes(session());
  EXPECT_THAT(session().get(key, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
  EXPECT_THAT(session().get(key, CKA_MODULUS).rv, ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
  CK_BYTE byte = 0;
  CK_ATTRIBUTE too_short = {CKA_CLASS, &byte, sizeof byte};
  EXPECT_THAT(token_->C_GetAttributeValue(token_.handle(), key, &too_short, 1),
              ReturnsRv(CKR_BUFFER_TOO_SMALL));

  CK_MECHANISM sha256 = {CKM_SHA256, nullptr, 0};
  must(token_->C_DigestInit(token_.handle(), &sha256));
  CK_ULONG size = sizeof byte;
  EXPECT_THAT(token_->C_Digest(token_.handle(), data.data(), data.size(), &byte, &size),
              ReturnsRv(CKR_BUFFER_TOO_SMALL));
  CK_ULONG count = 0;
  EXPECT_THAT(token_->C_GetSlotList(CK_FALSE, nullptr, &count), IsOk());
  CK_SLOT_ID slot = 0;
  count = 1;
  EXPECT_THAT(token_->C_GetSlotList(CK_FALSE, &slot, &count), ReturnsRv(CKR_BUFFER_TOO_SMALL));

  EXPECT_THAT(token_->C_Initialize(nullptr), ReturnsRv(CKR_CRYPTOKI_ALREADY_INITIALIZED));
  EXPECT_THAT(session().login(CKU_USER, kUserPin), ReturnsRv(CKR_USER_ALREADY_LOGGED_IN));
  CK_MECHANISM_INFO info{};
  EXPECT_THAT(token_->C_GetMechanismInfo(token_.slot(), CKM_DES3_CBC, &info),
              ReturnsRv(CKR_MECHANISM_INVALID));
  EXPECT_THAT(token_->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr), ReturnsRv(CKR_NO_EVENT));
  EXPECT_EQ(said(), "");
}

TEST_F(LogLines, NameTheAttributeOfATemplateThatIsRefused) {
  const auto data = Attributes().number(CKA_CLASS, CKO_DATA);
  const auto refused = [&](Attributes more, CK_RV rv, const std::string& words) {
    auto pattern = data;
    EXPECT_THAT(session().create(pattern.append(more)).rv, ReturnsRv(rv));
    EXPECT_THAT(said(), HasSubstr("C_CreateObject: " + words));
  };
  refused(Attributes().flag(CKA_ENCRYPT, true), CKR_ATTRIBUTE_TYPE_INVALID,
          "0x00000012 CKA_ENCRYPT");
  refused(Attributes().text(0x12345, "x"), CKR_ATTRIBUTE_TYPE_INVALID,
          "0x00000012 attribute 0x12345");
  refused(Attributes().text(CKA_LABEL, "x").text(CKA_LABEL, "x"), CKR_TEMPLATE_INCONSISTENT,
          "0x000000d1 CKA_LABEL");
  refused(Attributes().text(CKA_PRIVATE, "xy"), CKR_ATTRIBUTE_VALUE_INVALID,
          "0x00000013 CKA_PRIVATE");
  refused(Attributes().text(CKA_UNIQUE_ID, "x"), CKR_ATTRIBUTE_READ_ONLY,
          "0x00000010 CKA_UNIQUE_ID");
  EXPECT_THAT(session().create(Attributes().text(CKA_LABEL, "x")).rv,
              ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(said(), HasSubstr("CKA_CLASS"));
}

// The same answers of other functions are failures.
TEST_F(LogLines, SayWhatFailed) {
  const auto key = generate_aes(session());
  CK_MECHANISM des = {CKM_DES3_CBC, nullptr, 0};
  EXPECT_THAT(token_->C_EncryptInit(token_.handle(), &des, key), ReturnsRv(CKR_MECHANISM_INVALID));
  EXPECT_THAT(said(), HasSubstr("C_EncryptInit: 0x00000070"));
  EXPECT_THAT(session().set(key, Attributes().text(CKA_MODULUS, "x")),
              ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
  EXPECT_THAT(said(), HasSubstr("C_SetAttributeValue: 0x00000012 CKA_MODULUS"));
  EXPECT_THAT(session().get(77777, CKA_CLASS).rv, ReturnsRv(CKR_OBJECT_HANDLE_INVALID));
  EXPECT_THAT(said(), HasSubstr("C_GetAttributeValue"));
}

}  // namespace
}  // namespace tallystick::test
