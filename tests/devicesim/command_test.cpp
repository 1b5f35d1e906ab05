// The command tallystick-devicesim, as a user runs it.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "tests/devicesim/support/parts.h"
#include "tests/support/scratch.h"

namespace tallystick::test {
namespace {

struct Outcome {
  int status = 0;
  std::string text;  // both streams
};

// `before` is what the shell does first.
Outcome run(const std::string& arguments, const std::string& before = "") {
  const auto line = before + "'" TALLYSTICK_DEVICESIM "' " + arguments + " 2>&1";
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

TEST_F(Command, WritesAProofWholeOrNotAtAll) {
  ASSERT_EQ(run(create_ + " --flash-size 65536").status, 0);
  make_ready(world_, *value(device::Part::open(world_.crypto_ptr(), file_)), world_.software());
  const auto output = scratch_.file("proof");
  const auto prove = "prove " + in_quotes(file_) + challenge_ + " --out " + in_quotes(output);
  const auto files = [this] {
    return std::distance(std::filesystem::directory_iterator(scratch_.path()), {});
  };
  // No file may grow: the write fails, and nothing of it is left.
  const std::string full_disk = "trap '' XFSZ; ulimit -f 0; ";
  EXPECT_EQ(run(prove, full_disk).status, 3);
  EXPECT_EQ(files(), 1) << "the part alone";
  EXPECT_EQ(run(prove).status, 0);
  const auto first = read_file(output);
  EXPECT_FALSE(first.empty());

  const auto again = run(prove);
  EXPECT_EQ(again.status, 3) << "the file is there";
  EXPECT_THAT(again.text, ::testing::HasSubstr(output));
  EXPECT_EQ(read_file(output), first);
  EXPECT_EQ(run(prove + " --force", full_disk).status, 3);
  EXPECT_EQ(read_file(output), first) << "the old proof stands until the new one is whole";
  EXPECT_EQ(files(), 2);
  EXPECT_EQ(run(prove + " --force").status, 0);
  EXPECT_NE(read_file(output), first);
  EXPECT_EQ(files(), 2);
  EXPECT_EQ(run("prove " + in_quotes(file_) + challenge_ + " --force").status, 2)
      << "there is nothing to replace";
}

TEST_F(Command, A75_WritesNoProofThroughALinkOrOverAFolder) {
  ASSERT_EQ(run(create_ + " --flash-size 65536").status, 0);
  make_ready(world_, *value(device::Part::open(world_.crypto_ptr(), file_)), world_.software());
  write_file(scratch_.file("target"), core::bytes_of("mine"));
  std::filesystem::create_symlink(scratch_.file("target"), scratch_.file("link"));
  std::filesystem::create_symlink(scratch_.file("nowhere"), scratch_.file("dangling"));
  std::filesystem::create_directory(scratch_.file("folder"));
  for (const auto* name : {"link", "dangling", "folder"}) {
    for (const auto* force : {"", " --force"}) {
      EXPECT_EQ(run("prove " + in_quotes(file_) + challenge_ + " --out " +
                    in_quotes(scratch_.file(name)) + force)
                    .status,
                3)
          << name << force;
    }
  }
  EXPECT_EQ(read_file(scratch_.file("target")).size(), 4U);
  EXPECT_FALSE(std::filesystem::exists(scratch_.file("nowhere")));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch_.path()), {}), 5);
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
  for (const auto* word : {"create", "show", "reset", "prove", "serve", "Exit status"}) {
    EXPECT_THAT(help.text, ::testing::HasSubstr(word));
  }
  EXPECT_EQ(run("create --help").status, 0);
  const auto version = run("--version");
  EXPECT_EQ(version.status, 0);
  EXPECT_THAT(version.text, ::testing::StartsWith("tallystick-devicesim "));
}

}  // namespace
}  // namespace tallystick::test
