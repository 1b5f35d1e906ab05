// The command with the Tallystick token: what the main job does not try.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/certificate/device_certificate.h"
#include "tests/support/world.h"
#include "tests/tools/support.h"
#include "tools/cli/text.h"

namespace tallystick::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class OwnToken : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(scratch_ / "home");
    ::setenv("TALLYSTICK_HOME", (scratch_ / "home").c_str(), 1);
    scratch_.file("pin", "12345678\n");
    scratch_.file("so-pin", "87654321\n");
    scratch_.file("icm.cer", text_of(world_.icm_certificate()));
    const Ran made =
        tallystick({"token", "init", "--label", "box", "--so-pin-source",
                    "file:" + (scratch_ / "so-pin"), "--pin-source", "file:" + (scratch_ / "pin")});
    ASSERT_EQ(made.status, 0) << made.err;
  }
  static std::string text_of(const core::Bytes& bytes) { return std::string(core::text_of(bytes)); }
  std::string token() { return "pkcs11:token=box?pin-source=file:" + (scratch_ / "pin"); }
  Ran import(const std::string& document) {
    return tallystick({"icm", "family", "import", scratch_.file("family.json", document), "--token",
                       token(), "--icm-key", scratch_ / "icm.cer"});
  }
  static std::string family_document(std::size_t shares) {
    std::string list;
    for (std::size_t i = 0; i < shares; ++i) {
      list += (list.empty() ? "\"" : ", \"") + std::string(64, static_cast<char>('1' + i)) + "\"";
    }
    return R"({"family_id": "00112233-4455-6677-8899-aabbccddeeff", "flags": 1, "shares": [)" +
           list + R"(], "k_oem_share": ")" + std::string(64, 'a') +
           R"(", "k_oem_master_share": ")" + std::string(64, 'b') + R"("})";
  }

  Scratch scratch_;
  test::World world_;
};

TEST_F(OwnToken, TellsItsDeviceKeyWithoutAPin) {
  const Ran ran = tallystick({"token", "public-key", "--token", "pkcs11:token=box", "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const auto document = nlohmann::json::parse(ran.out, nullptr, false);
  const auto xy = document["public_key"].get<std::string>();
  EXPECT_EQ(xy.size(), 128U);
  const Ran list = tallystick({"token", "list", "--json"});
  EXPECT_THAT(list.out, HasSubstr(document["device_id"].get<std::string>()));
}

TEST_F(OwnToken, ImportsAFamilyOnceAndShowsItWithoutSecrets) {
  const Ran ran = import(family_document(3));
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("00112233-4455-6677-8899-aabbccddeeff"));
  EXPECT_THAT(ran.out, HasSubstr("uniform"));
  const Ran shown = tallystick({"token", "families", "--token", token()});
  EXPECT_THAT(shown.out, StartsWith("family 00112233-4455-6677-8899-aabbccddeeff:\n  role: icm\n"));
  EXPECT_THAT(shown.out, HasSubstr("  software_version: none\n  icm_fingerprint: "));
  const Ran listed = tallystick({"token", "families", "--token", token(), "--json"});
  EXPECT_EQ(nlohmann::json::parse(listed.out)["families"][0]["family_id"],
            "00112233445566778899aabbccddeeff");
  for (const char digit : {'1', '2', '3', 'a', 'b'}) {
    EXPECT_THAT(ran.out + shown.out, Not(HasSubstr(std::string(16, digit))));
  }
  EXPECT_EQ(import(family_document(3)).status, 2) << "it is there already";
}

TEST_F(OwnToken, WithoutAFamilySaysNone) {
  const Ran shown = tallystick({"token", "families", "--token", token()});
  EXPECT_EQ(shown.out, "families: none\n");
}

TEST_F(OwnToken, TakesItsCertificate) {
  const Ran key = tallystick({"token", "public-key", "--token", "pkcs11:token=box", "--json"});
  const auto xy = from_hex(nlohmann::json::parse(key.out)["public_key"].get<std::string>());
  ASSERT_TRUE(xy.has_value());
  const auto path =
      scratch_.file("box.cer", text_of(world_.certificate(core::DeviceKind::kToken, *xy)));
  const Ran added = tallystick({"token", "add-certificate", path, "--token", token()});
  EXPECT_EQ(added.status, 0) << added.err;
  const Ran nonsense =
      tallystick({"token", "add-certificate", scratch_.file("x", "nonsense"), "--token", token()});
  EXPECT_EQ(nonsense.status, 4);
}

TEST_F(OwnToken, ATokenThatDoesNotAnswerIsToldApartFromOneThatIsNotThere) {
  // Others may use its key file: the token refuses to work with it.
  const std::string root_key = scratch_ / "home/tokens/0/root.key";
  std::filesystem::permissions(root_key, std::filesystem::perms(0644));
  const Ran families = tallystick({"token", "families", "--token", token()});
  EXPECT_EQ(families.status, 3);
  EXPECT_THAT(families.err, HasSubstr("slot 0: "));
  EXPECT_THAT(families.err, HasSubstr("[CKR_TOKEN_NOT_RECOGNIZED]"));
  const Ran list = tallystick({"token", "list", "--json"});
  ASSERT_EQ(list.status, 0) << list.err;
  const auto first = nlohmann::json::parse(list.out)["tokens"][0];
  EXPECT_THAT(first["error"].get<std::string>(), HasSubstr("CKR_TOKEN_NOT_RECOGNIZED"));
  EXPECT_FALSE(first.contains("initialised"));
}

TEST_F(OwnToken, AWrongPinIsToldAndNothingIsWritten) {
  scratch_.file("pin", "00000000\n");
  const Ran ran =
      tallystick({"oem", "make-shares", "--token", token(), "--oem-key", scratch_ / "nowhere",
                  "--rnd-input", "system", "-o", scratch_ / "out"});
  EXPECT_NE(ran.status, 0);
  const Ran families = tallystick({"token", "families", "--token", token()});
  EXPECT_EQ(families.status, 3);
  EXPECT_THAT(families.err, HasSubstr("CKR_PIN_INCORRECT"));
  EXPECT_THAT(families.err, Not(HasSubstr("00000000")));
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "out"));
}

TEST_F(OwnToken, ARandomInputThatIsTooShortIsNotUsed) {
  for (const std::size_t size : {0U, 15U, 65U}) {
    const Ran ran = tallystick(
        {"oem", "make-shares", "--token", token(), "--oem-key", scratch_ / "icm.cer", "--rnd-input",
         scratch_.file("input", std::string(size, 'x')), "-o", scratch_ / "out"});
    EXPECT_EQ(ran.status, 4) << size;
  }
}

TEST_F(OwnToken, ATokenWithoutAFamilySaysSo) {
  const Ran ran = tallystick({"icm", "manufacture-parts", "1", "--icm-token", token(), "--icm-key",
                              token(), "--dir", scratch_ / "parts"});
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, HasSubstr("it holds no family"));
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "parts"));
}

}  // namespace
}  // namespace tallystick::cli
