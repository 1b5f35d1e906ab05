// The PKCS#11 client against another vendor's token: SoftHSM2, as the HSM of a chip maker or OEM.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/certificate/device_certificate.h"
#include "tests/support/world.h"
#include "tests/tools/support.h"

namespace tallystick::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string softhsm() {
  for (const char* path :
       {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"}) {
    if (std::filesystem::exists(path)) return path;
  }
  return "";
}

class ForeignToken : public ::testing::Test {
 protected:
  void SetUp() override {
    module_ = softhsm();
    if (module_.empty()) GTEST_SKIP() << "SoftHSM2 is not installed";
    std::filesystem::create_directory(scratch_ / "tokens");
    const auto configuration =
        scratch_.file("softhsm2.conf", "directories.tokendir = " + (scratch_ / "tokens") +
                                           "\nobjectstore.backend = file\nlog.level = ERROR\n");
    ::setenv("SOFTHSM2_CONF", configuration.c_str(), 1);
    scratch_.file("pin", "12345678\n");
    scratch_.file("wrong-pin", "87654321\n");
    scratch_.file("so-pin", "87651234\n");
    const Ran made = make_token("hsm");
    ASSERT_EQ(made.status, 0) << made.err;
  }

  Ran make_token(const std::string& label) {
    return tallystick({"--module", module_, "token", "init", "--label", label, "--so-pin-source",
                       "file:" + (scratch_ / "so-pin"), "--pin-source",
                       "file:" + (scratch_ / "pin")});
  }
  std::string uri(const std::string& object, const std::string& pin = "pin",
                  const std::string& token = "hsm") {
    return "pkcs11:token=" + token + ";object=" + object + "?module-path=" + module_ +
           "&pin-source=file:" + (scratch_ / pin);
  }

  Scratch scratch_;
  std::string module_;
};

TEST_F(ForeignToken, ListIsJsonWithTheTokenInIt) {
  const Ran ran = tallystick({"token", "list", "--module", module_, "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const auto document = nlohmann::json::parse(ran.out, nullptr, false);
  ASSERT_TRUE(document.is_object()) << ran.out;
  EXPECT_EQ(document["tokens"][0]["label"], "hsm");
  EXPECT_EQ(document["tokens"][0]["user_pin_set"], true);
}

TEST_F(ForeignToken, ALabelServesOnce) {
  const Ran again = make_token("hsm");
  EXPECT_EQ(again.status, 3);
  EXPECT_THAT(again.err, HasSubstr("one of that label already"));
}

TEST_F(ForeignToken, MakesAKeyThatSignsACertificateAndSoftware) {
  const Ran key = tallystick({"icm", "key", "--key", uri("icm"), "--json"});
  ASSERT_EQ(key.status, 0) << key.err;
  const auto fingerprint = nlohmann::json::parse(key.out)["fingerprint"].get<std::string>();
  const Ran certificate =
      tallystick({"icm", "certificate", "--icm-key", uri("icm"), "-o", scratch_ / "icm.cer"});
  ASSERT_EQ(certificate.status, 0) << certificate.err;
  EXPECT_EQ(tallystick({"icm", "fingerprint", scratch_ / "icm.cer"}).out, fingerprint + "\n");
  EXPECT_EQ(tallystick({"icm", "fingerprint", uri("icm")}).out, fingerprint + "\n");

  const auto list = scratch_.file("list.toml",
                                  "name = \"x\"\nversion = 1\nroles = [\"part\"]\n"
                                  "family_id = \"00112233445566778899aabbccddeeff\"\n"
                                  "[permit]\nprove = true\n");
  const Ran image = tallystick(
      {"icm", "sign-software", list, "--icm-key", uri("icm"), "-o", scratch_ / "x.tssw"});
  ASSERT_EQ(image.status, 0) << image.err;
  const Ran verified = tallystick({"software", "verify", scratch_ / "x.tssw", "--icm-certificate",
                                   scratch_ / "icm.cer", "--fingerprint", fingerprint});
  EXPECT_EQ(verified.status, 0) << verified.err;
}

TEST_F(ForeignToken, CertifiesADeviceKeyFromItsFile) {
  ASSERT_EQ(tallystick({"icm", "key", "--key", uri("icm")}).status, 0);
  const auto crypto = test::shared_crypto();
  const auto device = core::EcPrivateKey::generate(*crypto, core::Curve::kP256);
  ASSERT_TRUE(device.ok());
  const auto id = core::key_id(*crypto, device->public_xy());
  ASSERT_TRUE(id.ok());
  const auto identity = [&](const std::string& device_id) {
    return scratch_.file("device.json", R"({"kind": "token", "device_id": ")" + device_id +
                                            R"(", "public_key": ")" +
                                            core::to_hex(device->public_xy()) + R"("})");
  };
  const std::vector<std::string> command = {
      "icm",      "certify", identity(core::to_hex(*id)), "--icm-key",
      uri("icm"), "-o",      scratch_ / "device.cer",     "--kind"};
  auto as_token = command;
  as_token.emplace_back("token");
  const Ran certified = tallystick(as_token);
  ASSERT_EQ(certified.status, 0) << certified.err;
  auto as_part = command;
  as_part.emplace_back("part");
  EXPECT_EQ(tallystick(as_part).status, 2) << "a token is not certified as a part";
  // An id that is not the key's.
  identity(std::string(64, '0'));
  EXPECT_EQ(tallystick(as_token).status, 2);
}

TEST_F(ForeignToken, AWrongPinIsTriedOnce) {
  ASSERT_EQ(tallystick({"icm", "key", "--key", uri("icm")}).status, 0);
  const Ran wrong = tallystick(
      {"icm", "certificate", "--icm-key", uri("icm", "wrong-pin"), "-o", scratch_ / "x"});
  EXPECT_EQ(wrong.status, 3);
  EXPECT_THAT(wrong.err, HasSubstr("the PIN is wrong"));
  EXPECT_THAT(wrong.err, Not(HasSubstr("87654321")));
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "x"));
}

TEST_F(ForeignToken, A22_TwoKeysOfOneNameAreNotGuessed) {
  ASSERT_EQ(tallystick({"icm", "key", "--key", uri("twin")}).status, 0);
  const Ran again = tallystick({"icm", "key", "--key", uri("twin")});
  EXPECT_EQ(again.status, 2);
  // Without object= any key would do: with two keys in the token that is an error.
  ASSERT_EQ(tallystick({"icm", "key", "--key", uri("other")}).status, 0);
  const std::string any =
      "pkcs11:token=hsm?module-path=" + module_ + "&pin-source=file:" + (scratch_ / "pin");
  const Ran ambiguous =
      tallystick({"icm", "certificate", "--icm-key", any, "-o", scratch_ / "icm.cer"});
  EXPECT_EQ(ambiguous.status, 3);
  EXPECT_THAT(ambiguous.err, HasSubstr("2 such keys match"));
}

TEST_F(ForeignToken, TokensAndKeysThatAreNotThereAreNamed) {
  const Ran token = tallystick({"icm", "fingerprint", uri("icm", "pin", "nowhere")});
  EXPECT_EQ(token.status, 3);
  EXPECT_THAT(token.err, HasSubstr("no such token"));
  const Ran key = tallystick({"icm", "fingerprint", uri("nothing")});
  EXPECT_EQ(key.status, 3);
  EXPECT_THAT(key.err, HasSubstr("no such public key"));
}

TEST_F(ForeignToken, IsToldThatItIsNoTallystickToken) {
  const Ran ran =
      tallystick({"--module", module_, "token", "public-key", "--token", "pkcs11:token=hsm"});
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, HasSubstr("is it a Tallystick token?"));
}

}  // namespace
}  // namespace tallystick::cli
