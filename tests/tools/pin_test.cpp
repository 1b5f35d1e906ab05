#include "tools/cli/pin.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/tools/support.h"

namespace tallystick::cli {
namespace {

std::string text_of(const Outcome<core::Secret>& pin) {
  return pin ? std::string(core::text_of(pin->view())) : "error: " + line_of(pin.error());
}

TEST(Pin, AFilesLastLineEndIsNotPartOfIt) {
  const Scratch scratch;
  EXPECT_EQ(text_of(pin_from_source("file:" + scratch.file("a", "1234\n"))), "1234");
  EXPECT_EQ(text_of(pin_from_source("file:" + scratch.file("b", "1234\r\n"))), "1234");
  EXPECT_EQ(text_of(pin_from_source(scratch.file("c", "1234"))), "1234");
  EXPECT_EQ(text_of(pin_from_source(scratch.file("d", " 1234 \n\n"))), " 1234 \n");
}

TEST(Pin, ComesFromANamedVariable) {
  ::setenv("TALLYSTICK_TEST_PIN", "5678", 1);
  EXPECT_EQ(text_of(pin_from_source("env:TALLYSTICK_TEST_PIN")), "5678");
  ::unsetenv("TALLYSTICK_TEST_PIN");
  const auto missing = pin_from_source("env:TALLYSTICK_TEST_PIN");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().exit, Exit::kToken);
}

TEST(Pin, TheSourceThatIsNamedGoesBeforeTheEnvironment) {
  const Scratch scratch;
  ::setenv("TALLYSTICK_PIN", "environment", 1);
  EXPECT_EQ(text_of(find_pin("file:" + scratch.file("a", "file"), kUserPin, "PIN")), "file");
  EXPECT_EQ(text_of(find_pin("", kUserPin, "PIN")), "environment");
  ::unsetenv("TALLYSTICK_PIN");
}

TEST(Pin, EmptyAndTooLongOnesAreNotTried) {
  const Scratch scratch;
  EXPECT_FALSE(pin_from_source("file:" + scratch.file("a", "\n")).ok());
  EXPECT_FALSE(pin_from_source("file:" + scratch.file("b", std::string(257, '1'))).ok());
  EXPECT_TRUE(pin_from_source("file:" + scratch.file("c", std::string(256, '1') + "\r\n")).ok());
}

TEST(Pin, WhatIsMissingIsNamedByItsOwnOption) {
  const auto so = pin_from_source("env:TALLYSTICK_TEST_UNSET", kSoPin);
  ASSERT_FALSE(so.ok());
  EXPECT_NE(so.error().advice.find("--so-pin-source"), std::string::npos);
  EXPECT_NE(so.error().advice.find("TALLYSTICK_SO_PIN"), std::string::npos);
}

TEST(Pin, ProgramsAreNotRunForIt) {
  const auto pin = pin_from_source("|echo 1234");
  ASSERT_FALSE(pin.ok());
  EXPECT_EQ(pin.error().exit, Exit::kUsage);
}

}  // namespace
}  // namespace tallystick::cli
