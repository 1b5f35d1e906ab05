// The configuration file: where it is looked for, what it may say, and that a wrong one stops the
// module instead of half configuring it.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/pkcs11/support/bench.h"

namespace tallystick::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// C_Initialize, and what it wrote to stderr.
struct Start {
  CK_RV rv;
  std::string complaint;
};
Start start(const Module& module) {
  ::testing::internal::CaptureStderr();
  const auto rv = module->C_Initialize(nullptr);
  Start out{rv, ::testing::internal::GetCapturedStderr()};
  if (rv == CKR_OK) must(module->C_Finalize(nullptr));
  return out;
}

// A variable of the environment, put back at the end.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    const char* const before = getenv(name);
    if (before != nullptr) before_ = before;
    (void)setenv(name, value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() {
    if (before_) {
      (void)setenv(name_, before_->c_str(), 1);
    } else {
      (void)unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(Settings, AnEmptyFileAndAFullOneAreBothTaken) {
  const Home home;
  const Module module;
  EXPECT_THAT(start(module).rv, IsOk());
  home.configure(
      "# a comment\n[token]\ndirectory = \"/tmp/x\"\n\n[log]\nfile = \"stderr\"\n"
      "[mechanisms]\nrsa_pkcs1_decrypt = true\nrsa_raw = false\n"
      "pkcs5_pbkd2 = true\n");
  const auto started = start(module);
  EXPECT_THAT(started.rv, IsOk());
  EXPECT_EQ(started.complaint, "");
}

TEST(Settings, AWrongOneIsNamedOnStderrWithItsLineAndNothingStarts) {
  struct Case {
    const char* text;
    const char* complaint;
  };
  const std::vector<Case> cases = {
      {"[mechanisms]\nrsa_raw = 1\n", "line 2: mechanisms.rsa_raw must be true or false"},
      {"[mechanisms]\nrsa_raw = \"true\"\n", "line 2: mechanisms.rsa_raw must be true or false"},
      {"\n\n[mechanisms]\nrsa_row = true\n", "line 4: mechanisms.rsa_row is not a setting"},
      {"[token]\nrsa_raw = true\n", "line 2: token.rsa_raw is not a setting"},
      {"[log]\ndirectory = \"/tmp/x\"\n", "line 2: log.directory is not a setting"},
      {"[mechanism]\nrsa_raw = true\n", "line 1: [mechanism] is not a group of settings"},
      {"rsa_raw = true\n", "line 1: rsa_raw is not a setting"},
      {"[mechanisms]\nrsa_raw = true\nrsa_raw = false\n", "line 3: "},
      {"[mechanisms]\nrsa_raw = tru\n", "line 2: "},
      {"[token]\ndirectory = \"tokens\"\n", "line 2: token.directory must be an absolute path"},
      {"[token]\ndirectory = \"/a\\u0000b\"\n", "line 2: token.directory must be an absolute"},
      {"[token]\ndirectory = true\n", "line 2: token.directory must be an absolute path"},
      {"[token]\ndirectory = \"stderr\"\n", "line 2: token.directory must be an absolute path"},
      {"[log]\nfile = \"\"\n", "line 2: log.file must be an absolute path or "},
      {"[log.file]\nname = \"stderr\"\n", "line 1: log.file must be an absolute path or "},
      {"[[token]]\n", "token is not a setting"},
      {"\xff\xfe", "line 1: "},
      {"# a comment\n[\x01\n", "line 2: a control character"},
      {"# a comment\n[#]\n", "line 2: "},
      {"[token]\n\x7f", "line 2: a control character"},
      {"[token]\n[\u00E9\n", "line 2: a character outside ASCII"},
  };
  const Home home;
  const Module module;
  for (const auto& one : cases) {
    home.configure(one.text);
    const auto started = start(module);
    EXPECT_THAT(started.rv, ReturnsRv(CKR_GENERAL_ERROR)) << one.text;
    EXPECT_THAT(started.complaint, HasSubstr(one.complaint));
    EXPECT_THAT(started.complaint, HasSubstr(home.settings()));
    CK_INFO info{};
    EXPECT_THAT(module->C_GetInfo(&info), ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
  }
  home.configure("");
  EXPECT_THAT(start(module).rv, IsOk());
}

TEST(Settings, NestingWithoutEndIsRefused) {
  const Home home;
  const Module module;
  home.configure("[token]\ndirectory = " + std::string(30000, '[') + "\n");
  EXPECT_THAT(start(module).rv, ReturnsRv(CKR_GENERAL_ERROR));
  home.configure("#" + std::string(100000, 'x') + "\n");
  EXPECT_THAT(start(module).rv, ReturnsRv(CKR_GENERAL_ERROR));
}

TEST(Settings, AFileThatIsNamedButNotThereIsAnError) {
  const Home home;
  const Module module;
  const Variable conf("TALLYSTICK_CONF", home.path() + "/nothing.toml");
  const auto started = start(module);
  EXPECT_THAT(started.rv, ReturnsRv(CKR_GENERAL_ERROR));
  EXPECT_THAT(started.complaint, HasSubstr("nothing.toml: there is no such file"));
}

TEST(Settings, WhatIsNotAPlainFileIsAnError) {
  const Home home;
  const Module module;
  fs::remove(home.settings());
  fs::create_directory(home.settings());
  const auto started = start(module);
  EXPECT_THAT(started.rv, ReturnsRv(CKR_GENERAL_ERROR));
  EXPECT_THAT(started.complaint, HasSubstr(home.settings()));
}

TEST(Settings, AFileThatOthersMayWriteToIsNotBelieved) {
  const Home home;
  const Module module;
  home.configure("[mechanisms]\nrsa_raw = true\n");
  for (const auto mode : {0620U, 0602U, 0666U}) {
    ASSERT_EQ(chmod(home.settings().c_str(), mode), 0);
    const auto started = start(module);
    EXPECT_THAT(started.rv, ReturnsRv(CKR_GENERAL_ERROR)) << mode;
    EXPECT_THAT(started.complaint, HasSubstr("its mode is too open"));
  }
  ASSERT_EQ(chmod(home.settings().c_str(), 0644), 0);
  EXPECT_THAT(start(module).rv, IsOk());
}

TEST(Settings, AreLookedForUnderTheConfigurationFolderOfTheUser) {
  const Home home;
  const Module module;
  const Scratch scratch;
  const Variable conf("TALLYSTICK_CONF", "");
  const Variable folder("XDG_CONFIG_HOME", scratch.path().string());
  fs::create_directory(scratch.file("tallystick"));
  write_file(scratch.file("tallystick/tallystick.toml"), core::bytes_of("[log]\nlevel = 3\n"));
  auto started = start(module);
  EXPECT_THAT(started.rv, ReturnsRv(CKR_GENERAL_ERROR));
  EXPECT_THAT(started.complaint, HasSubstr("line 2: log.level is not a setting"));

  const Variable no_folder("XDG_CONFIG_HOME", "");
  const Variable user("HOME", scratch.path().string());
  fs::create_directory(scratch.file(".config"));
  fs::rename(scratch.file("tallystick"), scratch.file(".config/tallystick"));
  started = start(module);
  EXPECT_THAT(started.rv, ReturnsRv(CKR_GENERAL_ERROR));
  EXPECT_THAT(started.complaint, HasSubstr(".config/tallystick/tallystick.toml, line 2"));
}

TEST(Settings, NameTheFolderOfTheTokensUnlessTheEnvironmentDoes) {
  const Home home;
  const Module module;
  const Scratch scratch;
  home.configure("[token]\ndirectory = \"" + scratch.file("elsewhere") + "\"\n");
  must(module->C_Initialize(nullptr));
  (void)make_token(module);
  must(module->C_Finalize(nullptr));
  EXPECT_FALSE(fs::exists(scratch.file("elsewhere")));
  EXPECT_EQ(home.databases().size(), 1U);

  (void)unsetenv("TALLYSTICK_HOME");
  must(module->C_Initialize(nullptr));
  (void)make_token(module);
  must(module->C_Finalize(nullptr));
  EXPECT_TRUE(fs::exists(scratch.file("elsewhere/tokens/0/token.db")));
  EXPECT_EQ(home.databases().size(), 1U);
}

TEST(Settings, NameTheLogUnlessTheEnvironmentDoes) {
  const Home home;
  const Module module;
  const Scratch scratch;
  home.configure("[log]\nfile = \"" + scratch.file("log") + "\"\n");
  must(module->C_Initialize(nullptr));
  EXPECT_THAT(module->C_CloseSession(77), ReturnsRv(CKR_SESSION_HANDLE_INVALID));
  must(module->C_Finalize(nullptr));
  const auto first = read_file(scratch.file("log"));
  EXPECT_THAT(std::string(core::text_of(first)), HasSubstr("C_CloseSession"));

  const Variable log("TALLYSTICK_LOG", scratch.file("other"));
  must(module->C_Initialize(nullptr));
  EXPECT_THAT(module->C_CloseAllSessions(77), ReturnsRv(CKR_SLOT_ID_INVALID));
  must(module->C_Finalize(nullptr));
  EXPECT_EQ(read_file(scratch.file("log")), first);
  EXPECT_THAT(std::string(core::text_of(read_file(scratch.file("other")))),
              HasSubstr("C_CloseAllSessions"));
}

}  // namespace
}  // namespace tallystick::test
