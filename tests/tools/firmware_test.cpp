// `oem sign-application` and `oem sign-debug`: what they sign a part's boot ROM and debug port
// take.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "devicesim/part.h"
#include "tests/tools/factory.h"
#include "tools/cli/file_io.h"

namespace tallystick::cli {
namespace {

using ::testing::HasSubstr;

class Firmware : public Factory {
 protected:
  void SetUp() override {
    Factory::SetUp();
    make_shares("shares");
    ASSERT_EQ(manufacture("1", "parts").status, 0);
    scratch_.file("firmware.bin", std::string(20000, 'f'));
  }

  std::vector<std::string> sign(const std::string& version, const std::string& floor,
                                const std::string& output) {
    return {"oem",
            "sign-application",
            scratch_ / "firmware.bin",
            "--application-version",
            version,
            "--floor",
            floor,
            "--name",
            "meter",
            "--oem-key",
            oem_key(),
            "-o",
            scratch_ / output};
  }
  void install(const std::vector<std::string>& images) {
    std::string manifest = "package_version = 1\n";
    unsigned number = 1;
    for (const auto& image : images) {
      manifest +=
          "[[asset]]\nid = " + std::to_string(number) + "\nslot = " + std::to_string(number) +
          "\nname = \"app\"\nkind = \"firmware\"\naddress = " +
          std::to_string(0x80000000ULL + (number - 1) * 0x8000ULL) + "\nfile = \"" + image + "\"\n";
      ++number;
    }
    scratch_.file("assets.toml", manifest);
    does({"oem", "build-package", scratch_ / "assets.toml", "--shares",
          scratch_ / "shares/shares.json", "--token", "pkcs11:token=oem", "--oem-key", oem_key(),
          "-o", scratch_ / "job.tspk"});
    does({"program", "--parts", scratch_ / "parts", "--package", scratch_ / "job.tspk", "--shares",
          scratch_ / "shares/shares.tsos"});
  }
  std::unique_ptr<device::Part> part() {
    auto crypto = core::Crypto::create();
    auto opened = device::Part::open(*crypto, path_);
    EXPECT_TRUE(opened.ok()) << (opened ? "" : opened.error().message);
    return *std::move(opened);
  }

  std::string path_ = scratch_ / "parts/part-0001.part";
};

TEST_F(Firmware, IsSignedAndStartedByAPart) {
  does(sign("4", "0", "four.tsap"));
  does(sign("7", "5", "seven.tsap"));
  const auto shown = json({"inspect", scratch_ / "seven.tsap"});
  EXPECT_EQ(shown["version"], 7);
  EXPECT_EQ(shown["floor"], 5);
  EXPECT_EQ(shown["length"], 20000);
  install({"four.tsap", "seven.tsap"});
  {
    const auto opened = part();
    const auto report = opened->boot();
    ASSERT_TRUE(report.ok() && report->started);
    EXPECT_EQ(report->chosen, 2U);
    EXPECT_EQ(report->chosen_slot()->header.name, "meter");
    EXPECT_TRUE(opened->confirm_application().ok());
  }
  const auto info = json({"part", "info", path_});
  EXPECT_EQ(info["minimum_application_version"], 5);
  EXPECT_EQ(info["last_started"], 2);
  EXPECT_EQ(info["applications"].size(), 2U);
}

TEST_F(Firmware, ThatNoRomWouldTakeIsNotSigned) {
  const auto refused = [&](const std::vector<std::string>& arguments) {
    const Ran ran = tallystick(arguments);
    EXPECT_NE(ran.status, 0);
    EXPECT_FALSE(exists(scratch_ / "bad.tsap"));
    return ran.err;
  };
  EXPECT_THAT(refused(sign("4", "5", "bad.tsap")), HasSubstr("floor"));
  scratch_.file("firmware.bin", "");
  EXPECT_THAT(refused(sign("4", "4", "bad.tsap")), HasSubstr("1 to 2^40"));
}

TEST_F(Firmware, D02_ALockIsRehearsedByTheCommandToo) {
  does(sign("1", "0", "one.tsap"));
  install({"one.tsap"});
  const Ran ran = tallystick({"part", "lock", path_, "--dry-run"});
  EXPECT_NE(ran.status, 0) << "this software does not permit it";
  EXPECT_THAT(ran.out, HasSubstr("isp_reachable: yes"));
  EXPECT_THAT(ran.out, HasSubstr("application_slot: 1"));
  EXPECT_EQ(json({"part", "info", path_})["life_cycle"], "provisioned");
}

TEST_F(Firmware, D09_ADebugTokenOpensThePartItIsForAndNoOther) {
  does(sign("1", "0", "one.tsap"));
  install({"one.tsap"});
  core::Bytes challenge;
  {
    const auto made = part()->make_debug_challenge();
    ASSERT_TRUE(made.ok());
    challenge = core::encode_debug_challenge(*made);
  }
  ASSERT_TRUE(write_file(scratch_ / "part.tsdc", challenge));
  EXPECT_EQ(json({"inspect", scratch_ / "part.tsdc"})["file"], "debug challenge");
  const auto sign_debug = [&](const std::string& key, const std::string& output) {
    does({"oem", "sign-debug", scratch_ / "part.tsdc", "--oem-key", key, "-o", scratch_ / output});
    return *read_file(scratch_ / output);
  };
  const auto foreign = sign_debug(icm_key(), "foreign.tsdt");
  EXPECT_EQ(part()->open_debug(foreign).error().code, core::ErrorCode::kWrongOwner);
  const auto good = sign_debug(oem_key(), "part.tsdt");
  EXPECT_EQ(json({"inspect", scratch_ / "part.tsdt"})["file"],
            "debug token, signature not checked");
  EXPECT_TRUE(part()->open_debug(good).ok());
  EXPECT_EQ(json({"part", "info", path_})["returned"], true);
  scratch_.file("part.tsdc", "no challenge");
  EXPECT_NE(tallystick({"oem", "sign-debug", scratch_ / "part.tsdc", "--oem-key", oem_key(), "-o",
                        scratch_ / "bad"})
                .status,
            0);
}

}  // namespace
}  // namespace tallystick::cli
