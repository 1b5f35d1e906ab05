// `token init` and `token set-pin` on the Tallystick token: no token is left without a PIN by what
// could have been known before, and every PIN can be changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "tests/tools/support.h"
#include "tools/cli/pkcs11/module.h"

namespace tallystick::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TokenPins : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(scratch_ / "home");
    ::setenv("TALLYSTICK_HOME", (scratch_ / "home").c_str(), 1);
    for (const char* name : {"TALLYSTICK_PIN", "TALLYSTICK_SO_PIN", "TALLYSTICK_NEW_PIN"}) {
      ::unsetenv(name);
    }
  }

  std::string source(const std::string& pin) {
    return "file:" + scratch_.file("pin-" + std::to_string(++files_), pin + "\n");
  }
  Ran init(const std::string& so_pin, const std::string& pin) {
    return tallystick({"token", "init", "--label", "box", "--so-pin-source", source(so_pin),
                       "--pin-source", source(pin)});
  }
  Ran set_pin(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"token", "set-pin", "--token", "pkcs11:token=box"});
    return tallystick(arguments);
  }
  // Whether the user logs in with it.
  bool opens(const std::string& pin) {
    const Ran ran = tallystick(
        {"token", "families", "--token", "pkcs11:token=box", "--pin-source", source(pin)});
    EXPECT_TRUE(ran.status == 0 || ran.status == 3) << ran.err;
    return ran.status == 0;
  }
  // What is left when a program ends between C_InitToken and C_InitPIN.
  static void make_without_user_pin(std::string so_pin) {
    Modules modules;
    const auto module = modules.by_default();
    ASSERT_TRUE(module.ok());
    std::string label = "box";
    label.resize(32, ' ');
    ASSERT_EQ(
        (*module)->functions().C_InitToken(0, reinterpret_cast<CK_BYTE*>(so_pin.data()),
                                           so_pin.size(), reinterpret_cast<CK_BYTE*>(label.data())),
        CKR_OK);
  }
  static nlohmann::json only_token() {
    const auto document = nlohmann::json::parse(tallystick({"token", "list", "--json"}).out);
    nlohmann::json found;
    for (const auto& token : document["tokens"]) {
      if (!token["initialised"].get<bool>()) continue;
      EXPECT_TRUE(found.is_null()) << "one token only";
      found = token;
    }
    return found;
  }

  Scratch scratch_;
  int files_ = 0;
};

TEST_F(TokenPins, OfAWrongLengthAreNoticedBeforeAnythingIsMade) {
  const std::string good = "12345678";
  const std::string longest(255, '7');
  for (const std::string& bad : {std::string("123"), std::string(256, '7')}) {
    for (const bool so : {true, false}) {
      const Ran ran = so ? init(bad, good) : init(good, bad);
      EXPECT_EQ(ran.status, 3) << ran.err;
      EXPECT_THAT(ran.err, HasSubstr(so ? "security officer's PIN" : "user's PIN"));
      EXPECT_THAT(ran.err, HasSubstr("4 to 255 bytes"));
      EXPECT_THAT(ran.err, Not(HasSubstr(bad)));
      EXPECT_TRUE(only_token().is_null()) << "nothing was made";
    }
  }
  EXPECT_EQ(init("1234", longest).status, 0) << "the limits themselves are taken";
  EXPECT_TRUE(opens(longest));
}

TEST_F(TokenPins, ATokenThatWasLeftWithoutOneIsFinishedByInit) {
  make_without_user_pin("so-87654321");
  ASSERT_EQ(only_token()["user_pin_set"], false);
  const auto serial = only_token()["serial"];
  const Ran wrong = init("so-00000000", "12345678");
  EXPECT_EQ(wrong.status, 3);
  EXPECT_THAT(wrong.err, HasSubstr("CKR_PIN_INCORRECT"));
  EXPECT_THAT(wrong.err, HasSubstr("the same command with its security officer's PIN goes on"));
  const Ran again = init("so-87654321", "12345678");
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(only_token()["user_pin_set"], true);
  EXPECT_EQ(only_token()["serial"], serial) << "the same token";
  EXPECT_TRUE(opens("12345678"));
  EXPECT_EQ(init("so-87654321", "12345678").status, 3) << "a finished one is left alone";
}

TEST_F(TokenPins, TheAdviceForATokenWithoutOneWorks) {
  make_without_user_pin("so-87654321");
  const Ran refused = tallystick(
      {"token", "families", "--token", "pkcs11:token=box", "--pin-source", source("12345678")});
  EXPECT_EQ(refused.status, 3);
  EXPECT_THAT(refused.err, HasSubstr("`tallystick token set-pin`"));
  const Ran set =
      set_pin({"--so-pin-source", source("so-87654321"), "--new-pin-source", source("12345678")});
  ASSERT_EQ(set.status, 0) << set.err;
  EXPECT_TRUE(opens("12345678"));
}

TEST_F(TokenPins, TheUserChangesHis) {
  ASSERT_EQ(init("so-87654321", "12345678").status, 0);
  const Ran wrong =
      set_pin({"--pin-source", source("00000000"), "--new-pin-source", source("abcdefgh")});
  EXPECT_EQ(wrong.status, 3);
  EXPECT_THAT(wrong.err, HasSubstr("CKR_PIN_INCORRECT"));
  const Ran shorter =
      set_pin({"--pin-source", source("12345678"), "--new-pin-source", source("abc")});
  EXPECT_EQ(shorter.status, 3);
  EXPECT_THAT(shorter.err, HasSubstr("4 to 255 bytes"));
  EXPECT_TRUE(opens("12345678")) << "nothing has changed so far";
  const Ran changed =
      set_pin({"--pin-source", source("12345678"), "--new-pin-source", source("abcdefgh")});
  ASSERT_EQ(changed.status, 0) << changed.err;
  EXPECT_FALSE(opens("12345678"));
  EXPECT_TRUE(opens("abcdefgh"));
}

TEST_F(TokenPins, ComeFromTheEnvironmentToo) {
  ASSERT_EQ(init("so-87654321", "12345678").status, 0);
  ::setenv("TALLYSTICK_PIN", "12345678", 1);
  ::setenv("TALLYSTICK_NEW_PIN", "abcdefgh", 1);
  const Ran changed = set_pin({"--json"});
  ::unsetenv("TALLYSTICK_PIN");
  ::unsetenv("TALLYSTICK_NEW_PIN");
  ASSERT_EQ(changed.status, 0) << changed.err;
  EXPECT_EQ(nlohmann::json::parse(changed.out)["pin"], "user");
  EXPECT_TRUE(opens("abcdefgh"));
}

TEST_F(TokenPins, TheSecurityOfficerChangesHisAndTheUsersStays) {
  ASSERT_EQ(init("so-87654321", "12345678").status, 0);
  const Ran changed = set_pin(
      {"--so", "--so-pin-source", source("so-87654321"), "--new-pin-source", source("so-new")});
  ASSERT_EQ(changed.status, 0) << changed.err;
  EXPECT_TRUE(opens("12345678"));
  const std::vector<std::string> reset = {"--reset", "--new-pin-source", source("abcdefgh"),
                                          "--so-pin-source"};
  auto with_old = reset;
  with_old.push_back(source("so-87654321"));
  EXPECT_EQ(set_pin(with_old).status, 3);
  auto with_new = reset;
  with_new.push_back(source("so-new"));
  EXPECT_EQ(set_pin(with_new).status, 0);
  EXPECT_TRUE(opens("abcdefgh"));
}

TEST_F(TokenPins, TheAdviceForALockedOneWorks) {
  ASSERT_EQ(init("so-87654321", "12345678").status, 0);
  Ran last;
  for (int i = 0; i < 11; ++i) {
    last = tallystick(
        {"token", "families", "--token", "pkcs11:token=box", "--pin-source", source("00000000")});
  }
  EXPECT_THAT(last.err, HasSubstr("CKR_PIN_LOCKED"));
  EXPECT_THAT(last.err, HasSubstr("`tallystick token set-pin --reset`"));
  EXPECT_FALSE(opens("12345678"));
  const Ran reset = set_pin({"--reset", "--so-pin-source", source("so-87654321"),
                             "--new-pin-source", source("abcdefgh")});
  ASSERT_EQ(reset.status, 0) << reset.err;
  EXPECT_TRUE(opens("abcdefgh"));
}

TEST_F(TokenPins, OneThatComesFromNowhereIsAskedForByItsOption) {
  ASSERT_EQ(init("so-87654321", "12345678").status, 0);
  const Ran ran = set_pin({"--pin-source", source("12345678"), "--new-pin-source", "env:NOWHERE"});
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, HasSubstr("--new-pin-source"));
  EXPECT_EQ(set_pin({"--so", "--reset"}).status, 1) << "whose PIN is it to be?";
}

}  // namespace
}  // namespace tallystick::cli
