#include "core/ts1/generated_asset.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

const Bytes kSeed(32, 0x11);

Result<Secret> make(GeneratedType type, std::string name, std::uint32_t index = 0,
                    std::uint32_t length = 0) {
  return generate_asset(crypto(), {}, kSeed, {type, std::move(name), index, length});
}

TEST(GeneratedAssets, S21_DistinctTypesNamesAndIndexesGiveDistinctValues) {
  std::set<std::string> seen;
  std::size_t count = 0;
  for (std::uint8_t type = 1; type <= kGeneratedTypes; ++type) {
    for (const std::string name : {"a", "b", "ab", "Schl\xC3\xBCssel"}) {
      for (const std::uint32_t index : {0U, 1U, 0xFFFFFFFFU}) {
        const bool bytes = type == static_cast<std::uint8_t>(GeneratedType::kBytes);
        // The first 16 bytes have to differ already.
        seen.insert(to_hex(must(make(static_cast<GeneratedType>(type), name, index, bytes ? 32 : 0))
                               .view()
                               .first(16)));
        ++count;
      }
    }
  }
  EXPECT_EQ(seen.size(), count);
}

TEST(GeneratedAssets, S21_DependOnContextAndSeed) {
  Context context;
  const auto value = [&context](ByteView seed) {
    return to_hex(
        must(generate_asset(crypto(), context, seed, {GeneratedType::kAes256, "k", 0, 0})).view());
  };
  std::set<std::string> seen = {value(kSeed), value(Bytes(32, 0x12))};
  context.sw_floor = 1;
  seen.insert(value(kSeed));
  context.oem_id[0] = 1;
  seen.insert(value(kSeed));
  EXPECT_EQ(seen.size(), 4U);
}

TEST(GeneratedAssets, HaveTheSizeOfTheirType) {
  const std::pair<GeneratedType, std::size_t> sizes[] = {
      {GeneratedType::kAes128, 16}, {GeneratedType::kAes256, 32}, {GeneratedType::kHmac256, 32},
      {GeneratedType::kP256, 32},   {GeneratedType::kP384, 48},   {GeneratedType::kEd25519, 32}};
  for (const auto& [type, size] : sizes) EXPECT_EQ(must(make(type, "n")).size(), size);
  for (const std::uint32_t length : {1U, 33U, 1024U}) {
    const auto value = must(make(GeneratedType::kBytes, "n", 0, length));
    EXPECT_EQ(value.size(), length);
    EXPECT_EQ(must(package_form(crypto(), GeneratedType::kBytes, value.view())).size(), length);
  }
  // The length is part of the derivation: a shorter value is no prefix of a longer one.
  EXPECT_NE(to_hex(must(make(GeneratedType::kBytes, "n", 0, 32)).view()),
            to_hex(must(make(GeneratedType::kBytes, "n", 0, 64)).view().first(32)));
}

TEST(GeneratedAssets, RefuseNamesAndLengthsOutOfRange) {
  for (const auto& name :
       {std::string(), std::string(33, 'n'), std::string("a\0b", 3), std::string("\xFF")}) {
    EXPECT_TRUE(fails_with(make(GeneratedType::kAes128, name), ErrorCode::kInvalidArgument));
  }
  EXPECT_TRUE(fails_with(make(GeneratedType::kBytes, "n", 0, 0), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(make(GeneratedType::kBytes, "n", 0, 1025), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(make(GeneratedType::kAes128, "n", 0, 16), ErrorCode::kInvalidArgument));
}

TEST(GeneratedAssets, RefuseTypesThatThereAreNotAndSeedsOfAnotherSize) {
  for (const unsigned type : {0U, kGeneratedTypes + 1U, 255U}) {
    EXPECT_TRUE(
        fails_with(make(static_cast<GeneratedType>(type), "n"), ErrorCode::kInvalidArgument))
        << type;
  }
  for (const std::size_t size : {0UL, 31UL, 33UL}) {
    EXPECT_TRUE(
        fails_with(generate_asset(crypto(), {}, Bytes(size), {GeneratedType::kAes128, "n", 0, 0}),
                   ErrorCode::kInvalidArgument))
        << size;
  }
}

TEST(GeneratedAssets, RefuseAPackageFormOfSomethingElse) {
  EXPECT_FALSE(package_form(crypto(), GeneratedType::kP256, Bytes(32)).ok()) << "d = 0";
  EXPECT_FALSE(package_form(crypto(), GeneratedType::kP384, Bytes(32, 1)).ok());
  EXPECT_FALSE(package_form(crypto(), GeneratedType::kEd25519, Bytes(31, 1)).ok());
}

TEST(GeneratedTypes, HaveNamesThatLeadBack) {
  for (std::uint8_t number = 1; number <= kGeneratedTypes; ++number) {
    const auto type = static_cast<GeneratedType>(number);
    EXPECT_EQ(must(generated_type_from(generated_type_name(type))), type);
  }
  for (const std::string_view name : {"", "aes", "AES128", "aes128 ", "rsa2048"}) {
    EXPECT_TRUE(fails_with(generated_type_from(name), ErrorCode::kMalformed));
  }
}

}  // namespace
}  // namespace tallystick::core::testing
