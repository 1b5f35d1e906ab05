// The engine's files, locks and index by themselves: what they say of things that have gone, are
// something else, or are somebody else's.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/reader.h"
#include "pkcs11/engine/directory_lock.h"
#include "pkcs11/engine/files.h"
#include "pkcs11/engine/root_key.h"
#include "tests/pkcs11/support/outcome.h"
#include "tests/support/scratch.h"
#include "tests/support/world.h"

namespace tallystick::test {
namespace {

namespace fs = std::filesystem;

class EngineFiles : public ::testing::Test {
 protected:
  std::string write(const std::string& name, core::ByteView content) {
    const auto path = scratch_.file(name);
    EXPECT_EQ(rv_of(token::write_new_file(path, content)), CKR_OK);
    return path;
  }
  Scratch scratch_;
};

TEST_F(EngineFiles, A75_OfAnotherUserAreRefused) {
  const auto path = write("mine", core::Bytes(4, 1));
  ASSERT_EQ(rv_of(token::check_private_file(path)), CKR_OK);
  if (geteuid() == 0) {
    ASSERT_EQ(chown(path.c_str(), 65534, 65534), 0);
    EXPECT_EQ(rv_of(token::check_private_file(path)), CKR_DEVICE_ERROR);
  } else {
    EXPECT_EQ(rv_of(token::check_private_file("/etc/passwd")), CKR_DEVICE_ERROR);
  }
}

TEST_F(EngineFiles, WhatIsNotThereIsNoPrivateFileAndNoError) {
  const auto path = write("file", core::Bytes(4, 1));
  for (const auto& missing : {scratch_.file("nothing"), path + "/x"}) {
    const auto there = token::check_private_file(missing);
    ASSERT_EQ(rv_of(there), CKR_OK) << missing;
    EXPECT_FALSE(*there) << missing;
  }
}

TEST_F(EngineFiles, A75_ADirectoryIsNoPrivateFile) {
  const auto here = scratch_.file("folder");
  fs::create_directory(here);
  fs::permissions(here, fs::perms::owner_all);
  EXPECT_EQ(rv_of(token::check_private_file(here)), CKR_DEVICE_ERROR);
}

TEST_F(EngineFiles, A75_NothingIsPublishedInThePlaceOfWhatIsThere) {
  const auto from = scratch_.file("from");
  const auto to = scratch_.file("to");
  fs::create_directory(from);
  fs::create_directory(to);
  auto published = token::publish_directory(from, to);
  ASSERT_EQ(rv_of(published), CKR_OK);
  EXPECT_FALSE(*published);
  EXPECT_TRUE(fs::exists(from));
  fs::remove(to);
  published = token::publish_directory(from, to);
  ASSERT_EQ(rv_of(published), CKR_OK);
  EXPECT_TRUE(*published);
  EXPECT_FALSE(fs::exists(from));
}

TEST_F(EngineFiles, WhatHasGoneHasNoIdentity) {
  EXPECT_FALSE(token::identity_of(scratch_.file("nothing")));
  EXPECT_TRUE(token::identity_of(write("file", {})));
}

TEST_F(EngineFiles, OnlyADirectoryIsARealDirectory) {
  EXPECT_FALSE(token::real_directory(scratch_.file("nothing")));
  EXPECT_FALSE(token::real_directory(write("file", {})));
  const auto here = scratch_.file("folder");
  fs::create_directory(here);
  EXPECT_EQ(token::real_directory(here), fs::canonical(here).string());
}

TEST_F(EngineFiles, ADirectoryThatHasGoneIsNobodysToTakeOver) {
  EXPECT_FALSE(token::DirectoryLock::is_abandoned(scratch_.file("nothing")));
  const auto here = scratch_.file("folder");
  fs::create_directory(here);
  EXPECT_TRUE(token::DirectoryLock::is_abandoned(here));
  const token::DirectoryLock lock(here);
  EXPECT_FALSE(token::DirectoryLock::is_abandoned(here));
}

TEST_F(EngineFiles, A75_ARootKeyFileIsExactlyOne) {
  const auto path = scratch_.file("root.key");
  ASSERT_EQ(rv_of(token::create_key_file(*shared_crypto(), path)), CKR_OK);
  ASSERT_EQ(rv_of(token::open_key_file(shared_crypto(), path)), CKR_OK);
  const auto secret = token::read_small_file(path, 4096);
  ASSERT_EQ(rv_of(secret), CKR_OK);
  const core::Bytes good(secret->view().begin(), secret->view().end());
  const auto opened = [&](const core::Bytes& content) {
    fs::remove(path);
    return rv_of(token::open_key_file(shared_crypto(), write("root.key", content)));
  };
  EXPECT_EQ(opened(good), CKR_OK);
  auto changed = good;
  changed.front() ^= 1U;  // of the magic
  EXPECT_EQ(opened(changed), CKR_TOKEN_NOT_RECOGNIZED);
  changed = good;
  changed.at(5) ^= 1U;  // the version's last byte
  EXPECT_EQ(opened(changed), CKR_TOKEN_NOT_RECOGNIZED);
  changed = good;
  changed.push_back(0);
  EXPECT_EQ(opened(changed), CKR_TOKEN_NOT_RECOGNIZED);
  changed = good;
  changed.pop_back();
  EXPECT_EQ(opened(changed), CKR_TOKEN_NOT_RECOGNIZED);
}

}  // namespace
}  // namespace tallystick::test
