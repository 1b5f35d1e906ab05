#include "tools/cli/formats/private_key_file.h"

#include <gtest/gtest.h>

#include "core/crypto/ec.h"
#include "tests/tools/support.h"

namespace tallystick::cli {
namespace {

class PrivateKeyFile : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = core::Crypto::create();
    ASSERT_TRUE(made.ok());
    crypto_ = *made;
  }
  Scratch scratch_;
  std::shared_ptr<const core::Crypto> crypto_;
};

TEST_F(PrivateKeyFile, DerComesBackInThePackagesForm) {
  const auto key = core::EcPrivateKey::generate(*crypto_, core::Curve::kP384);
  ASSERT_TRUE(key.ok());
  const auto der = key->pkcs8();
  ASSERT_TRUE(der.ok());
  const auto path = scratch_.file("key.der", core::text_of(der->view()));
  const auto read = private_key_as_pkcs8(*crypto_, path);
  ASSERT_TRUE(read.ok()) << line_of(read.error());
  EXPECT_EQ(core::to_hex(read->view()), core::to_hex(der->view()));
}

TEST_F(PrivateKeyFile, WhatIsNoKeyIsRefused) {
  for (const char* text :
       {"", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}) {
    const auto read = private_key_as_pkcs8(*crypto_, scratch_.file("key", text));
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().exit, Exit::kFile);
  }
}

}  // namespace
}  // namespace tallystick::cli
