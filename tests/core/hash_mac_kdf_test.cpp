#include <gtest/gtest.h>

#include <algorithm>

#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/crypto/mac.h"
#include "tests/core/support/vectors.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

TEST(Digests, GiveTheKnownAnswersForAbc) {
  const std::pair<Hash, const char*> answers[] = {
      {Hash::kSha1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {Hash::kSha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
      {Hash::kSha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {Hash::kSha384,
       "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
       "8086072ba1e7cc2358baeca134c825a7"},
      {Hash::kSha512,
       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"}};
  for (const auto& [hash, answer] : answers) {
    Bytes out(hash_size(hash));
    ASSERT_TRUE(is_ok(digest(crypto(), hash, {bytes_of("a"), {}, bytes_of("bc")}, out)));
    EXPECT_EQ(to_hex(out), answer);
  }
  EXPECT_EQ(to_hex(must(sha256(crypto(), {bytes_of("abc")}))), answers[2].second);
  EXPECT_EQ(to_hex(must(sha384(crypto(), {bytes_of("abc")}))), answers[3].second);
}

TEST(Digests, RefuseAnOutputOfAnotherLength) {
  Bytes out(33);
  EXPECT_TRUE(fails_with(digest(crypto(), Hash::kSha256, {}, out), ErrorCode::kInvalidArgument));
}

TEST(Macs, RefuseAnOutputOfAnotherLength) {
  Bytes out(33);
  EXPECT_TRUE(
      fails_with(hmac(crypto(), Hash::kSha256, Bytes(32), {}, out), ErrorCode::kInvalidArgument));
}

TEST(Macs, TakeAnEmptyHmacKeyAndEmptyParts) {
  // HMAC-SHA-256 of nothing under an empty key.
  EXPECT_EQ(to_hex(must(hmac_secret(crypto(), Hash::kSha256, {}, {{}, {}})).view()),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Macs, RefuseCmacKeysThatAreNoAesKeys) {
  for (const std::size_t size : {0UL, 8UL, 15UL, 20UL, 33UL}) {
    EXPECT_TRUE(fails_with(cmac(crypto(), Bytes(size), {}), ErrorCode::kInvalidArgument)) << size;
  }
}

TEST(Kdfs, ScryptGivesTheAnswerOfRfc7914) {
  const auto out =
      must(scrypt(crypto(), bytes_of("password"), bytes_of("NaCl"), {1024, 8, 16}, 64));
  EXPECT_EQ(to_hex(out.view()),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

TEST(Kdfs, ScryptTakesEmptyPasswordsAndSalts) {
  const auto out = must(scrypt(crypto(), {}, {}, {16, 1, 1}, 64));
  EXPECT_EQ(to_hex(out.view()).substr(0, 32), "77d6576238657b203b19ca42c18a0497");
}

TEST(Kdfs, ScryptRefusesCostsThatAreNoneOrTooHigh) {
  EXPECT_TRUE(fails_with(scrypt(crypto(), {}, {}, {1000, 8, 1}, 32), ErrorCode::kCrypto));
  EXPECT_TRUE(fails_with(scrypt(crypto(), {}, {}, {1ULL << 24U, 8, 1}, 32), ErrorCode::kCrypto));
}

TEST(Kdfs, HkdfRefusesNothingAndTooMuch) {
  EXPECT_FALSE(hkdf(crypto(), Hash::kSha256, {}, Bytes(32), {}, 255 * 32 + 1).ok());
  EXPECT_TRUE(is_ok(hkdf(crypto(), Hash::kSha256, {}, Bytes(32), {}, 255 * 32)));
  EXPECT_FALSE(hkdf_expand(crypto(), Hash::kSha256, Bytes(32), {}, 0).ok());
}

TEST(RandomNumbers, DifferAndFillTheWholeBuffer) {
  EXPECT_NE(random_bytes(32), random_bytes(32));
  EXPECT_EQ(must(crypto().random_secret(48)).size(), 48U);
  EXPECT_TRUE(is_ok(crypto().random({})));
  // With 64 tries a byte that stays zero would be one in 2^512.
  Bytes seen(100);
  for (int i = 0; i < 64; ++i) {
    const auto bytes = random_bytes(100);
    for (std::size_t at = 0; at < 100; ++at)
      seen[at] = static_cast<std::uint8_t>(seen[at] | bytes[at]);
  }
  EXPECT_EQ(std::ranges::count(seen, std::uint8_t{0}), 0);
}

TEST(CryptoContext, IsPrivateAndHasEveryAlgorithm) {
  EXPECT_NE(crypto().lib(), nullptr);
  for (std::size_t i = 0; i < kAesModeCount; ++i) {
    const auto mode = static_cast<AesMode>(i);
    EXPECT_EQ(crypto().aes(mode, 20), nullptr);
    EXPECT_EQ(crypto().aes(mode, 0), nullptr);
    for (const std::size_t size : {16UL, 24UL, 32UL}) EXPECT_NE(crypto().aes(mode, size), nullptr);
  }
  EXPECT_NE(crypto().lib(), must(Crypto::create())->lib());
}

}  // namespace
}  // namespace tallystick::core::testing
