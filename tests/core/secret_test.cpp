#include "core/base/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace tallystick::core {
namespace {

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>,
              "secrets are copied only by asking");
static_assert(!std::is_convertible_v<Secret, std::string> &&
                  !std::is_convertible_v<Secret, ByteView>,
              "secrets do not turn into text or bytes by themselves");

bool filled_with(const Secret& secret, std::uint8_t value) {
  return std::ranges::all_of(secret.view(), [value](auto byte) { return byte == value; });
}

TEST(Secrets, StartAsZeros) {
  for (const std::size_t size : {1UL, 31UL, 32UL, 33UL, 4096UL, 4097UL, 100000UL}) {
    const Secret secret(size);
    EXPECT_EQ(secret.size(), size);
    EXPECT_FALSE(secret.empty());
    EXPECT_TRUE(filled_with(secret, 0)) << size;
  }
}

TEST(Secrets, AreZeroEvenWhereAnotherSecretLivedBefore) {
  for (const std::size_t size : {32UL, 500UL, 4096UL, 20000UL}) {
    {
      Secret first(size);
      std::ranges::fill(first.span(), std::uint8_t{0xA5});
    }
    const Secret second(size);
    EXPECT_TRUE(filled_with(second, 0)) << size;
  }
}

TEST(Secrets, MoveAndLeaveNothingBehind) {
  Secret first = Secret::copy_of(Bytes{1, 2, 3});
  Secret second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(to_hex(second.view()), "010203");
  Secret third = Secret::copy_of(Bytes{9});
  third = std::move(second);
  EXPECT_EQ(to_hex(third.view()), "010203");
}

TEST(Secrets, CloneIntoMemoryOfTheirOwn) {
  Secret first = Secret::copy_of(Bytes{1, 2, 3});
  const Secret second = first.clone();
  first.span()[0] = 7;
  EXPECT_EQ(to_hex(second.view()), "010203");
}

TEST(Secrets, MayBeEmpty) {
  const Secret nothing;
  EXPECT_TRUE(nothing.empty());
  EXPECT_TRUE(nothing.clone().empty());
  EXPECT_TRUE(Secret(0).view().empty());
  EXPECT_TRUE(Secret::copy_of({}).empty());
}

TEST(Secrets, S24_WipeWhatIsCutOff) {
  Secret secret = Secret::copy_of(Bytes{1, 2, 3, 4});
  const auto* const memory = secret.view().data();
  secret.truncate(9);
  EXPECT_EQ(secret.size(), 4U) << "a larger size changes nothing";
  secret.truncate(2);
  EXPECT_EQ(to_hex(secret.view()), "0102");
  EXPECT_EQ(to_hex(ByteView(memory, 4)), "01020000");
}

TEST(Secrets, S24_WipeTheirMemoryWhenTheyGo) {
  // A neighbour keeps the pool's page mapped; the block itself is free and may be looked at.
  const Secret neighbour(64);
  const std::uint8_t* memory = nullptr;
  {
    Secret secret(64);
    std::ranges::fill(secret.span(), std::uint8_t{0x5A});
    memory = secret.view().data();
  }
  const ByteView block(memory, 64);
  EXPECT_EQ(std::ranges::count(block, std::uint8_t{0x5A}), 0);
}

TEST(Secrets, DoNotOverlap) {
  std::vector<Secret> secrets;
  for (int i = 0; i < 3000; ++i) {
    secrets.emplace_back(static_cast<std::size_t>(1 + i % 200));
    std::ranges::fill(secrets.back().span(), static_cast<std::uint8_t>(i));
  }
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(filled_with(secrets[static_cast<std::size_t>(i)], static_cast<std::uint8_t>(i)))
        << i;
  }
}

TEST(Wiping, MakesZeros) {
  Bytes bytes = {1, 2, 3};
  wipe(bytes);
  EXPECT_TRUE(all_zero(bytes));
  wipe({});
}

}  // namespace
}  // namespace tallystick::core
