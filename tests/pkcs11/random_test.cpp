// C_GenerateRandom and C_SeedRandom.
#include <gtest/gtest.h>

#include <set>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

TEST(Random, DiffersEachTimeAndFillsWhatWasAsked) {
  TestToken token;
  std::set<core::Bytes> seen;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(seen.insert(must(token.session().random(16))).second);
  }
  const auto large = must(token.session().random(1UL << 20U));
  std::array<std::size_t, 256> counts{};
  for (const auto byte : large) ++counts[byte];
  for (const auto count : counts) {
    EXPECT_GT(count, 3500U);
    EXPECT_LT(count, 4700U);
  }
}

TEST(Random, A50_TheSameSeedTwiceSteersNothing) {
  TestToken token;
  std::set<core::Bytes> seen;
  core::Bytes seed(48, 0);
  for (int i = 0; i < 4; ++i) {
    const auto rv = token->C_SeedRandom(token.handle(), seed.data(), seed.size());
    ASSERT_TRUE(rv == CKR_OK || rv == CKR_RANDOM_SEED_NOT_SUPPORTED) << rv_name(rv);
    ASSERT_TRUE(seen.insert(must(token.session().random(32))).second);
  }
}

TEST(Random, A33_A36_NoncesOfSignaturesDiffer) {
  TestToken token;
  const auto pair = generate_ec(token.session());
  std::set<core::Bytes> seen;
  for (int i = 0; i < 500; ++i) {
    const auto signature =
        must(token.session().sign(CKM_ECDSA_SHA256, pair.private_key, bytes("same")));
    ASSERT_TRUE(seen.insert({signature.begin(), signature.begin() + 32}).second);
  }
}

}  // namespace
}  // namespace tallystick::test
