#include "core/crypto/aead.h"

#include <gtest/gtest.h>

#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

class AnyAead : public ::testing::TestWithParam<AeadAlgorithm> {};
INSTANTIATE_TEST_SUITE_P(Both, AnyAead, ::testing::Values(AeadAlgorithm::kGcm, AeadAlgorithm::kCcm),
                         [](const auto& tested) {
                           return tested.param == AeadAlgorithm::kGcm ? "Gcm" : "Ccm";
                         });

TEST_P(AnyAead, OpensWhatItSealedAtEveryLengthAndWithOrWithoutAssociatedData) {
  auto aead = must(Aead::create(crypto(), GetParam(), random_bytes(32)));
  for (const std::size_t length : {0UL, 1UL, 15UL, 16UL, 17UL, 1000UL, 16384UL}) {
    for (const std::size_t aad_length : {0UL, 1UL, 80UL}) {
      const auto nonce = random_bytes(12);
      const auto aad = random_bytes(aad_length);
      const auto plaintext = random_bytes(length);
      Bytes sealed(length + Aead::kTagSize);
      ASSERT_TRUE(is_ok(aead.seal(nonce, aad, plaintext, sealed)));
      Bytes opened(length);
      ASSERT_TRUE(is_ok(aead.open(nonce, aad, sealed, opened)));
      EXPECT_EQ(opened, plaintext);
    }
  }
}

TEST_P(AnyAead, RefusesEveryFlippedBitOfTheTagOfAnEmptyMessage) {
  auto aead = must(Aead::create(crypto(), GetParam(), random_bytes(32)));
  const auto nonce = random_bytes(12);
  Bytes tag(Aead::kTagSize);
  must(aead.seal(nonce, {}, {}, tag));
  Bytes nothing;
  ASSERT_TRUE(is_ok(aead.open(nonce, {}, tag, nothing)));
  for (std::size_t bit = 0; bit < 128; ++bit) {
    auto damaged = tag;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ 1U << bit % 8);
    EXPECT_TRUE(fails_with(aead.open(nonce, {}, damaged, nothing), ErrorCode::kOpenFailed)) << bit;
  }
  EXPECT_TRUE(fails_with(aead.open(nonce, {}, Bytes(16, 0), nothing), ErrorCode::kOpenFailed));
}

TEST_P(AnyAead, WipesTheOutputWhenTheTagDoesNotHold) {
  auto aead = must(Aead::create(crypto(), GetParam(), random_bytes(32)));
  const auto nonce = random_bytes(12);
  Bytes sealed(100 + Aead::kTagSize);
  must(aead.seal(nonce, {}, random_bytes(100), sealed));
  sealed.back() ^= 1U;
  Bytes opened(100, 0xEE);
  EXPECT_TRUE(fails_with(aead.open(nonce, {}, sealed, opened), ErrorCode::kOpenFailed));
  EXPECT_TRUE(all_zero(opened));
}

TEST_P(AnyAead, RefusesAnotherNonceAndOtherAssociatedData) {
  auto aead = must(Aead::create(crypto(), GetParam(), random_bytes(16)));
  const auto nonce = random_bytes(12);
  Bytes sealed(20 + Aead::kTagSize);
  must(aead.seal(nonce, Bytes{1, 2}, random_bytes(20), sealed));
  Bytes opened(20);
  EXPECT_TRUE(
      fails_with(aead.open(random_bytes(12), Bytes{1, 2}, sealed, opened), ErrorCode::kOpenFailed));
  EXPECT_TRUE(fails_with(aead.open(nonce, Bytes{1, 3}, sealed, opened), ErrorCode::kOpenFailed));
  EXPECT_TRUE(fails_with(aead.open(nonce, {}, sealed, opened), ErrorCode::kOpenFailed));
  EXPECT_TRUE(is_ok(aead.open(nonce, Bytes{1, 2}, sealed, opened))) << "a failure leaves no trace";
}

TEST_P(AnyAead, RefusesSizesThatAreNotItsOwn) {
  for (const std::size_t size : {0UL, 1UL, 15UL, 17UL, 31UL, 33UL, 64UL}) {
    EXPECT_TRUE(
        fails_with(Aead::create(crypto(), GetParam(), Bytes(size)), ErrorCode::kInvalidArgument));
  }
  EXPECT_TRUE(
      fails_with(Aead::create(crypto(), GetParam(), Bytes(32), 0), ErrorCode::kInvalidArgument));
  auto aead = must(Aead::create(crypto(), GetParam(), Bytes(24)));
  Bytes out(26);
  EXPECT_TRUE(fails_with(aead.seal(Bytes(11), {}, Bytes(10), out), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(aead.seal(Bytes(12), {}, Bytes(11), out), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(aead.open(Bytes(13), {}, Bytes(42), out), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(aead.open(Bytes(12), {}, Bytes(40), out), ErrorCode::kInvalidArgument));
  Bytes nothing;
  EXPECT_TRUE(fails_with(aead.open(Bytes(12), {}, Bytes(15), nothing), ErrorCode::kOpenFailed));
  EXPECT_TRUE(fails_with(aead.open(Bytes(12), {}, {}, nothing), ErrorCode::kOpenFailed));
}

TEST_P(AnyAead, RefusesLengthsThatLibcryptoCannotCount) {
  EXPECT_TRUE(fails_with(Aead::create(crypto(), GetParam(), Bytes(32), 1UL << 31U),
                         ErrorCode::kInvalidArgument));
  auto aead = must(Aead::create(crypto(), GetParam(), Bytes(32)));
  const Bytes nonce(12);
  Bytes out(26);
  // Nobody looks at the bytes of what is refused for its length.
  const ByteView giant(out.data(), 1UL << 31U);
  const MutableByteView room(out.data(), giant.size() + Aead::kTagSize);
  EXPECT_TRUE(fails_with(aead.seal(nonce, {}, giant, room), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(aead.seal(nonce, giant, Bytes(10), out), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(aead.open(nonce, {}, giant, room.first(giant.size() - Aead::kTagSize)),
                         ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(aead.open(nonce, giant, Bytes(42), out), ErrorCode::kInvalidArgument));
}

TEST(CcmAead, RefusesNoncesOutsideSevenToThirteenBytes) {
  EXPECT_FALSE(Aead::create(crypto(), AeadAlgorithm::kCcm, Bytes(32), 6).ok());
  EXPECT_FALSE(Aead::create(crypto(), AeadAlgorithm::kCcm, Bytes(32), 14).ok());
  EXPECT_TRUE(is_ok(Aead::create(crypto(), AeadAlgorithm::kCcm, Bytes(32), 13)));
}

TEST_P(AnyAead, WorksInPlace) {
  auto aead = must(Aead::create(crypto(), GetParam(), random_bytes(32)));
  const auto nonce = random_bytes(12);
  for (const std::size_t length : {0UL, 1UL, 16UL, 17UL, 1000UL, 40000UL}) {
    const auto plaintext = random_bytes(length);
    Bytes apart(length + Aead::kTagSize);
    must(aead.seal(nonce, {}, plaintext, apart));
    auto memory = plaintext;
    memory.resize(apart.size());
    ASSERT_TRUE(is_ok(aead.seal(nonce, {}, ByteView(memory).first(length), memory)));
    EXPECT_EQ(memory, apart);
    ASSERT_TRUE(is_ok(aead.open(nonce, {}, memory, MutableByteView(memory).first(length))));
    memory.resize(length);
    EXPECT_EQ(memory, plaintext);
  }
}

TEST_P(AnyAead, MadeForOneDirectionRefusesTheOther) {
  const auto key = random_bytes(32);
  auto both = must(Aead::create(crypto(), GetParam(), key));
  auto sealing = must(Aead::create(crypto(), GetParam(), key, 12, AeadUse::kSeal));
  auto opening = must(Aead::create(crypto(), GetParam(), key, 12, AeadUse::kOpen));
  const auto nonce = random_bytes(12);
  const auto plaintext = random_bytes(50);
  Bytes sealed(66);
  Bytes opened(50);
  ASSERT_TRUE(is_ok(sealing.seal(nonce, {}, plaintext, sealed)));
  EXPECT_TRUE(fails_with(sealing.open(nonce, {}, sealed, opened), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(opening.seal(nonce, {}, plaintext, sealed), ErrorCode::kInvalidArgument));
  ASSERT_TRUE(is_ok(opening.open(nonce, {}, sealed, opened)));
  EXPECT_EQ(opened, plaintext);
  ASSERT_TRUE(is_ok(both.open(nonce, {}, sealed, opened)));
}

}  // namespace
}  // namespace tallystick::core::testing
