// The derivation of an SB3.1 container's keys.
#include "core/sb3/ckdf.h"

#include "core/crypto/mac.h"
#include "tests/core/support/vectors.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

using sb3::ckdf;
using sb3::KeyUse;

Bytes counting(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i);
  return out;
}

// Made with `openssl mac CMAC` over inputs that were put together by hand.
struct Known {
  unsigned bits;
  unsigned rights;
  const char* derivation_key;
  const char* block_key;  // of block 7
};
constexpr std::array kKnown = {
    Known{128, 3, "bff0bea1712084c2de133163cf586e58", "0d0ccae5014c660dbfb9d2b5d111714d"},
    Known{128, 0, "2cfafca410036bfa93d19d3748955709", "4be92bc7dadc62527e2fa78d1eb77846"},
    Known{256, 3, "b6e5abd42cb2728deeb1e59a6378e4cc88ac07b9dfd98726425ea691141df6c5",
          "cd39417a5a183cec179810a2ac0732853fff40199eaf351aa860ad6ee46e951b"},
    Known{256, 0, "00a0743e036d86b587ba239e60836b5669eb36d408801953c60b51ffd260bf7b",
          "eaab6e535e790616a8acaf95ac7ae39c411f0b8006c5d9d1a69cdf0c050e150a"},
};

TEST(Ckdf, DerivesTheKnownKeys) {
  for (const auto& known : kKnown) {
    const auto derivation = must(
        ckdf(crypto(), counting(32), 0x27C0E97B, known.rights, KeyUse::kDerivation, known.bits));
    EXPECT_EQ(to_hex(derivation.view()), known.derivation_key);
    const auto block =
        must(ckdf(crypto(), derivation.view(), 7, known.rights, KeyUse::kBlock, known.bits));
    EXPECT_EQ(to_hex(block.view()), known.block_key);
  }
}

// The values that the public tests of NXP's SPSDK expect of its own derivation.
TEST(Ckdf, DerivesTheKeysThatAnotherMakersToolDerives) {
  const auto common = from_hex("24e517d4ac417737235b6efc9afced8224e517d4ac417737235b6efc9afced82");
  const auto key = must(ckdf(crypto(), common, 0x27C0E97C, 3, KeyUse::kDerivation, 128));
  EXPECT_EQ(to_hex(key.view()), "751d0802bc9eb9adb42b68d40880aa6e");
  const std::array<std::pair<unsigned, const char*>, 3> blocks = {{
      {10, "40902f79dd0ec371307f7069590ad07a"},
      {13, "69362b5634b99b689a7c43df76f15b63"},
      {6, "4c28803b5de193c21f31e6fa10c76b03"},
  }};
  for (const auto& [number, expected] : blocks) {
    EXPECT_EQ(to_hex(must(ckdf(crypto(), key.view(), number, 3, KeyUse::kBlock, 128)).view()),
              expected);
  }
}

TEST(Ckdf, IsTheCmacOfTheInputThatTheFormatNames) {
  const auto key = random_bytes(16);
  const auto input = from_hex(
      "efcdab896745230100000000"
      "0000000000000000"
      "8010002100000100");
  const auto derived = must(ckdf(crypto(), key, 0x0123456789ABCDEF, 2, KeyUse::kBlock, 256));
  const auto first = must(cmac(crypto(), key, {input, from_hex("00000001")}));
  const auto second = must(cmac(crypto(), key, {input, from_hex("00000002")}));
  EXPECT_EQ(to_bytes(derived.view()), concatenated({first, second}));
}

TEST(Ckdf, RefusesOtherSizesAndRights) {
  const auto key = random_bytes(32);
  EXPECT_TRUE(
      fails_with(ckdf(crypto(), key, 1, 4, KeyUse::kBlock, 128), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(
      fails_with(ckdf(crypto(), key, 1, 0, KeyUse::kBlock, 192), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(ckdf(crypto(), random_bytes(31), 1, 0, KeyUse::kBlock, 128),
                         ErrorCode::kInvalidArgument));
}

TEST(BlockCiphers, OpenWhatTheySealedUnderTheSameNumberAndTimeAlone) {
  const auto common = random_bytes(32);
  const auto cipher = must(sb3::BlockCipher::create(crypto(), common, 1000, 128));
  const auto plain = random_bytes(256);
  auto data = plain;
  must(cipher.encrypt(1, data));
  EXPECT_NE(data, plain);
  auto other = data;
  must(cipher.decrypt(2, other));
  EXPECT_NE(other, plain);
  other = data;
  must(must(sb3::BlockCipher::create(crypto(), common, 1001, 128)).decrypt(1, other));
  EXPECT_NE(other, plain);
  must(cipher.decrypt(1, data));
  EXPECT_EQ(data, plain);
}

}  // namespace
}  // namespace tallystick::core::testing
