// Every reader is given files that are not of its form: a clear refusal, no crash, nothing written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/sb3/writer.h"
#include "devicesim/part.h"
#include "tests/support/oem_desk.h"
#include "tests/support/value.h"
#include "tests/tools/support.h"

namespace tallystick::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string text_of(const core::Bytes& bytes) { return std::string(core::text_of(bytes)); }

class HostileFile : public ::testing::Test {
 protected:
  Scratch scratch_;
  test::World world_;
  test::OemDesk desk_{world_};

  void expect_refusal(const std::vector<std::string>& arguments) {
    const Ran ran = tallystick(arguments);
    EXPECT_TRUE(ran.status == 2 || ran.status == 4) << ran.status << ran.err;
    EXPECT_THAT(ran.err, StartsWith("tallystick: "));
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
  }
};

TEST_F(HostileFile, InspectKnowsEveryKindAndShowsJson) {
  const std::vector<std::pair<std::string, core::Bytes>> files = {
      {"asset package", desk_.package(test::small_plan())},
      {"provisioning software", world_.software()},
      {"share blob", desk_.share_blob()},
      {"share blob", desk_.master_blob()},
      {"share blob", desk_.device_blob(desk_.device_key().public_xy())},
      {"family blob", world_.family_blob(core::FamilyRole::kPart, desk_.device_key().public_xy())}};
  for (const auto& [kind, bytes] : files) {
    const auto path = scratch_.file("file", text_of(bytes));
    const Ran ran = tallystick({"inspect", path, "--json"});
    ASSERT_EQ(ran.status, 0) << ran.err;
    const auto document = nlohmann::json::parse(ran.out, nullptr, false);
    ASSERT_TRUE(document.is_object()) << ran.out;
    EXPECT_THAT(document["file"].get<std::string>(), HasSubstr(kind));
  }
}

TEST_F(HostileFile, P01_InspectShowsWhatAContainerSaysAndNoMoreThanItsLengthsAllow) {
  core::sb3::Header header;
  header.firmware_version = 7;
  header.description = {'a', '\x1B', 'b'};
  const auto key = test::value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP256));
  core::sb3::Certificate certificate;
  certificate.signer.assign(key.public_xy().begin(), key.public_xy().end());
  const auto file = test::value(core::sb3::build_file(
      world_.crypto(), header, certificate, test::value(core::sb3::CommandWriter().blocks()),
      [](std::uint32_t, core::MutableByteView) { return core::Status(); },
      [&](core::ByteView manifest) { return key.sign(world_.crypto(), {manifest}); }));
  const Ran ran = tallystick({"inspect", scratch_.file("file.sb3", text_of(file)), "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const auto document = nlohmann::json::parse(ran.out, nullptr, false);
  EXPECT_EQ(document["firmware_version"], 7);
  EXPECT_EQ(document["blocks"], 1);
  EXPECT_EQ(document["hash"], "sha256");
  EXPECT_EQ(document["description"], "611b62") << "no control characters";
  EXPECT_EQ(document["device_hsm"]["signer"], core::to_hex(key.public_xy()));
  const auto text = text_of(file);
  for (const std::size_t size : {4U, 59U, 60U, 219U, 284U, 575U}) {
    expect_refusal({"inspect", scratch_.file("cut", text.substr(0, size))});
  }
  expect_refusal({"inspect", scratch_.file("long", text + "x")});
}

TEST_F(HostileFile, P06_CutAndLengthenedFilesAreRefused) {
  for (const core::Bytes& whole :
       {desk_.package(test::small_plan()), world_.software(), desk_.share_blob(),
        desk_.master_blob(), desk_.device_blob(desk_.device_key().public_xy()),
        world_.family_blob(core::FamilyRole::kPart, desk_.device_key().public_xy())}) {
    std::string text = text_of(whole);
    for (const std::size_t size : {4U, 5U, 79U, 127U, 129U}) {
      if (size < text.size()) {
        expect_refusal({"inspect", scratch_.file("cut", text.substr(0, size))});
      }
    }
    // A role 2 blob is as long as the OEM's random input makes it; only its opening tells.
    if (text.starts_with("TSMS")) continue;
    expect_refusal({"inspect", scratch_.file("cut", text.substr(0, text.size() - 1))});
    expect_refusal({"inspect", scratch_.file("long", text + "x")});
  }
}

TEST_F(HostileFile, UnknownFilesAreRefused) {
  for (const std::string& text : {std::string(), std::string("x"), std::string(100, '\0'),
                                  std::string(70000, '\0'), std::string("TSPK")}) {
    expect_refusal({"inspect", scratch_.file("file", text)});
    expect_refusal({"part", "info", scratch_.file("file", text)});
  }
  expect_refusal({"inspect", scratch_.path()});
}

TEST_F(HostileFile, OneThatIsNoneOfOursIsNotSpokenOfAsAPart) {
  const auto text = scratch_.file("letter.txt", "Dear reader,\n");
  const auto large = scratch_.file("large.bin", std::string(70000, 'x'));
  for (const std::string& file : {text, large}) {
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"inspect", file}, std::vector<std::string>{"part", "info", file},
          std::vector<std::string>{"proof", "make", file, "--challenge", std::string(64, '0'), "-o",
                                   scratch_ / "proof"}}) {
      const Ran ran = tallystick(command);
      EXPECT_EQ(ran.status, 4) << ran.err;
      EXPECT_THAT(ran.err, StartsWith("tallystick: " + file + ": not "));
      EXPECT_THAT(ran.err, Not(HasSubstr("0600")));
    }
  }
}

TEST_F(HostileFile, APartThatOthersMayReadIsSpokenOfAsOne) {
  const auto part = scratch_ / "x.part";
  {
    device::Manufacture manufacture;
    manufacture.icm_fingerprint = world_.fingerprint();
    manufacture.memory = {0, 64UL * 1024};
    ASSERT_TRUE(device::Part::create(world_.crypto_ptr(), part, manufacture).ok());
  }
  std::filesystem::permissions(part, std::filesystem::perms(0644));
  const Ran ran = tallystick({"inspect", part});
  EXPECT_EQ(ran.status, 4);
  EXPECT_THAT(ran.err, StartsWith("tallystick: " + part +
                                  ": others may use the file; its mode must be 0600"));
}

TEST_F(HostileFile, S08_SoftwareWithAnyChangedHeaderByteIsNotVerified) {
  const core::Bytes image = world_.software();
  const auto icm = scratch_.file("icm.cer", text_of(world_.icm_certificate()));
  const auto good = scratch_.file("good.tssw", text_of(image));
  ASSERT_EQ(tallystick({"software", "verify", good, "--icm-certificate", icm}).status, 0);
  for (std::size_t i = 0; i < image.size(); ++i) {
    core::Bytes changed = image;
    changed[i] = static_cast<std::uint8_t>(changed[i] ^ 1U);
    const auto path = scratch_.file("changed.tssw", text_of(changed));
    EXPECT_EQ(tallystick({"software", "verify", path, "--icm-certificate", icm}).status, 2) << i;
  }
}

TEST_F(HostileFile, AWrongFingerprintIsRefused) {
  const auto icm = scratch_.file("icm.cer", text_of(world_.icm_certificate()));
  const auto image = scratch_.file("sw.tssw", text_of(world_.software()));
  const std::vector<std::string> command = {"software",  "verify", image,
                                            "--icm-key", icm,      "--fingerprint"};
  auto right = command;
  right.push_back(core::to_hex(world_.fingerprint()));
  EXPECT_EQ(tallystick(right).status, 0);
  auto wrong = command;
  wrong.push_back(std::string(64, '0'));
  EXPECT_EQ(tallystick(wrong).status, 2);
}

TEST_F(HostileFile, A78_ANameWithEscapeCodesIsShownHarmless) {
  test::PackagePlan plan = test::small_plan();
  plan.assets[0].entry.name = "a\x1b[2Jb";
  const auto path = scratch_.file("file.tspk", text_of(desk_.package(plan)));
  const Ran text = tallystick({"inspect", path});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_EQ(text.out.find('\x1b'), std::string::npos);
  EXPECT_THAT(text.out, HasSubstr("a\\x1b[2Jb"));
  EXPECT_EQ(tallystick({"inspect", path, "--json"}).out.find('\x1b'), std::string::npos);
}

TEST_F(HostileFile, PublicKeysOfOtherFormsAreRefused) {
  const auto image = scratch_.file("sw.tssw", text_of(world_.software()));
  for (const std::string& text :
       {std::string(), std::string(96, '\xff'), std::string(95, '\1'), std::string("{}"),
        std::string("{\"public_key\": \"00\"}"), std::string("-----BEGIN CERTIFICATE-----\n"),
        std::string("\x30\x03\x02\x01\x00", 5)}) {
    expect_refusal({"software", "verify", image, "--icm-key", scratch_.file("key", text)});
  }
}

}  // namespace
}  // namespace tallystick::cli
