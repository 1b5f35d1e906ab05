// The command tallystick-devicesim, as a user runs it.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>

#include "tests/devicesim/support/parts.h"
#include "tests/support/scratch.h"

namespace tallystick::test {
namespace {

struct Outcome {
  int status = 0;
  std::string text;  // both streams
};

Outcome run(const std::string& arguments) {
  const auto line = std::string("'" TALLYSTICK_DEVICESIM "' ") + arguments + " 2>&1";
  Outcome outcome;
  FILE* const pipe = ::popen(line.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot start the command");
  std::array<char, 4096> buffer{};
  while (const auto count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    outcome.text.append(buffer.data(), count);
  }
  const int status = ::pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

std::string in_quotes(const std::string& path) { return "'" + path + "'"; }

class Command : public ::testing::Test {
 protected:
  World world_;
  Scratch scratch_;
  std::string file_ = scratch_.file("a part");
  std::string create_ =
      "create " + in_quotes(file_) + " --icm-fingerprint " + core::to_hex(world_.fingerprint());
  std::string challenge_ = " --challenge " + std::string(64, '5');
};

TEST_F(Command, MakesAndShowsAPart) {
  const auto made = run(create_ + " --product meter --flash-size 65536");
  ASSERT_EQ(made.status, 0) << made.text;
  const auto id = made.text.substr(0, 64);
  const auto shown = run("show " + in_quotes(file_));
  EXPECT_EQ(shown.status, 0);
  EXPECT_THAT(shown.text, ::testing::HasSubstr(id));
  EXPECT_THAT(shown.text, ::testing::HasSubstr("blank"));
  const auto json = run("show --json " + in_quotes(file_));
  EXPECT_EQ(json.status, 0);
  EXPECT_THAT(json.text, ::testing::HasSubstr("\"part_id\": \"" + id + "\""));
  EXPECT_THAT(json.text, ::testing::HasSubstr("\"product\": \"meter\""));
  EXPECT_THAT(json.text, ::testing::HasSubstr("\"flash_size\": 65536"));
}

TEST_F(Command, ProvesWhatRunningSoftwareProves) {
  ASSERT_EQ(run(create_ + " --flash-size 65536").status, 0);
  const auto refused = run("prove " + in_quotes(file_) + challenge_);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.text, ::testing::HasSubstr("no provisioning software runs"));
  {
    auto part = value(device::Part::open(world_.crypto_ptr(), file_));
    make_ready(world_, *part, world_.software());
  }
  const auto proof = run("prove " + in_quotes(file_) + challenge_);
  EXPECT_EQ(proof.status, 0);
  const auto output = scratch_.file("proof");
  EXPECT_EQ(run("prove " + in_quotes(file_) + challenge_ + " --out " + in_quotes(output)).status,
            0);
  EXPECT_EQ(2 * read_file(output).size() + 1, proof.text.size());
  const auto reset = run("reset " + in_quotes(file_));
  EXPECT_EQ(reset.status, 0);
  EXPECT_THAT(reset.text, ::testing::HasSubstr("test software version 1"));
}

TEST_F(Command, A78_EscapesControlCharactersInNames) {
  ASSERT_EQ(run(create_ + " --flash-size 65536 --product \"$(printf 'a\\033[31mb')\"").status, 0);
  const auto shown = run("show " + in_quotes(file_));
  EXPECT_EQ(shown.text.find('\033'), std::string::npos);
  EXPECT_THAT(shown.text, ::testing::HasSubstr("a\\x1b[31mb"));
  EXPECT_EQ(run("show --json " + in_quotes(file_)).text.find('\033'), std::string::npos);
}

TEST_F(Command, TellsWrongArgumentsFromFilesThatFail) {
  EXPECT_EQ(run("").status, 2);
  EXPECT_EQ(run("frobnicate").status, 2);
  EXPECT_EQ(run("create " + in_quotes(file_)).status, 2);
  EXPECT_EQ(run("create " + in_quotes(file_) + " --icm-fingerprint 1234").status, 2);
  EXPECT_EQ(run(create_ + " --flash-size 17").status, 2);
  EXPECT_EQ(run("show " + in_quotes(file_)).status, 3);
  ASSERT_EQ(run(create_ + " --flash-size 65536").status, 0);
  EXPECT_EQ(run(create_).status, 3);
  EXPECT_EQ(run("prove " + in_quotes(file_) + " --challenge 00").status, 2);
  EXPECT_EQ(run("show " + in_quotes(file_) + " > /dev/full").status, 3);
}

TEST_F(Command, ExplainsItself) {
  const auto help = run("--help");
  EXPECT_EQ(help.status, 0);
  for (const auto* word : {"create", "show", "reset", "prove", "Exit status"}) {
    EXPECT_THAT(help.text, ::testing::HasSubstr(word));
  }
  EXPECT_EQ(run("create --help").status, 0);
  const auto version = run("--version");
  EXPECT_EQ(version.status, 0);
  EXPECT_THAT(version.text, ::testing::StartsWith("tallystick-devicesim "));
}

}  // namespace
}  // namespace tallystick::test
