// Factory: a chip maker and an OEM with a Tallystick token each, set up by the command alone. Their
// signing keys are in these tokens too.
#pragma once

#include <cstdlib>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "tests/tools/support.h"

namespace tallystick::cli {

class Factory : public ::testing::Test {
 protected:
  explicit Factory(std::string family_flags = "none") : family_flags_(std::move(family_flags)) {}

  void SetUp() override {
    std::filesystem::create_directory(scratch_ / "home");
    ::setenv("TALLYSTICK_HOME", (scratch_ / "home").c_str(), 1);
    ::setenv("TALLYSTICK_PIN", "12345678", 1);
    ::setenv("TALLYSTICK_SO_PIN", "87654321", 1);
    scratch_.file("software.toml",
                  "name = \"standard\"\nversion = 1\nroles = [\"provisioning\", \"part\"]\n"
                  "[permit]\nmake-shares = true\nregenerate = true\ngive-blobs = [1, 2, 3]\n"
                  "take-blobs = [1, 2, 3]\nseal = [\"gcm\", \"ccm\"]\nopen = [\"gcm\", \"ccm\"]\n"
                  "generate = \"all\"\ninstall = true\nprove = true\n"
                  "life-cycle = [\"blank to provisioning\", \"provisioning to provisioned\"]\n");
    does({"token", "init", "--label", "icm"});
    does({"icm", "key", "--key", icm_key()});
    family_ = json({"icm", "family", "create", "--token", "pkcs11:token=icm", "--icm-key",
                    icm_key(), "--flags", family_flags_})["family_id"];
    does({"icm", "sign-software", scratch_ / "software.toml", "--family", family_, "--icm-key",
          icm_key(), "-o", scratch_ / "standard.tssw"});
    make_provisioning_token("oem");
    does({"oem", "key", "--key", oem_key()});
  }
  void TearDown() override {
    ::unsetenv("TALLYSTICK_PIN");
    ::unsetenv("TALLYSTICK_SO_PIN");
  }

  static void does(const std::vector<std::string>& arguments) {
    const Ran ran = tallystick(arguments);
    ASSERT_EQ(ran.status, 0) << ::testing::PrintToString(arguments) << ran.err;
  }
  static nlohmann::json json(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    const Ran ran = tallystick(arguments);
    EXPECT_EQ(ran.status, 0) << ::testing::PrintToString(arguments) << ran.err;
    return nlohmann::json::parse(ran.out, nullptr, false);
  }

  static std::string icm_key() { return "pkcs11:token=icm;object=icm-key"; }
  static std::string oem_key() { return "pkcs11:token=oem;object=oem-key"; }

  void make_provisioning_token(const std::string& label) {
    const std::string token = "pkcs11:token=" + label;
    does({"token", "init", "--label", label});
    does({"icm", "manufacture-token", "--icm-token", "pkcs11:token=icm", "--icm-key", icm_key(),
          "--token", token});
    does({"oem", "install-software", scratch_ / "standard.tssw", "--token", token, "--fingerprint",
          json({"icm", "fingerprint", icm_key()})["fingerprint"]});
  }
  void make_shares(const std::string& folder) {
    does({"oem", "make-shares", "--token", "pkcs11:token=oem", "--oem-key", oem_key(),
          "--rnd-input", "system", "-o", scratch_ / folder});
  }
  Ran manufacture(const std::string& count, const std::string& folder,
                  const std::string& key = "stored") {
    return tallystick({"icm", "manufacture-parts", count, "--icm-token", "pkcs11:token=icm",
                       "--icm-key", icm_key(), "--dir", scratch_ / folder, "--flash-size", "65536",
                       "--software", scratch_ / "standard.tssw", "--key", key});
  }

  Scratch scratch_;
  std::string family_flags_;
  std::string family_;
};

}  // namespace tallystick::cli
