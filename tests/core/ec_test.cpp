#include "core/crypto/ec.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/core/support/vectors.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

const char* const kOrder256 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const char* const kOrder384 =
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc529"
    "73";

class AnyCurve : public ::testing::TestWithParam<Curve> {
 protected:
  [[nodiscard]] static Bytes order() {
    return from_hex(GetParam() == Curve::kP256 ? kOrder256 : kOrder384);
  }
  [[nodiscard]] static std::size_t half() { return field_size(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Both, AnyCurve, ::testing::Values(Curve::kP256, Curve::kP384),
                         [](const auto& tested) {
                           return tested.param == Curve::kP256 ? "P256" : "P384";
                         });

TEST_P(AnyCurve, MakesScalarsOfDerivedValuesAsFips186Does) {
  // (V mod (q − 1)) + 1 for V = 0, q − 1 and q.
  Bytes value(half() + 16);
  const auto scalar = [&] { return must(ec_scalar_from(crypto(), GetParam(), value)); };
  Bytes one(half());
  one.back() = 1;
  EXPECT_EQ(to_bytes(scalar().view()), one);
  auto less = order();
  less.back() -= 1;
  std::copy(less.begin(), less.end(), value.begin() + 16);
  EXPECT_EQ(to_bytes(scalar().view()), one);
  value.back() += 1;
  one.back() = 2;
  EXPECT_EQ(to_bytes(scalar().view()), one);
  EXPECT_TRUE(fails_with(ec_scalar_from(crypto(), GetParam(), Bytes(half() + 7, 1)),
                         ErrorCode::kInvalidArgument));
}

TEST_P(AnyCurve, SignsWhatItVerifies) {
  const auto key = must(EcPrivateKey::generate(crypto(), GetParam()));
  const auto signature = must(key.sign(crypto(), {bytes_of("one "), bytes_of("message")}));
  EXPECT_EQ(signature.size(), 2 * half());
  EXPECT_TRUE(is_ok(key.public_key().verify(crypto(), {bytes_of("one message")}, signature)));
  EXPECT_TRUE(fails_with(key.public_key().verify(crypto(), {bytes_of("one messagf")}, signature),
                         ErrorCode::kBadSignature));
}

TEST_P(AnyCurve, RefusesEveryFlippedBitOfASignature) {
  const auto key = must(EcPrivateKey::generate(crypto(), GetParam()));
  const auto signature = must(key.sign(crypto(), {bytes_of("m")}));
  for (std::size_t bit = 0; bit < 8 * signature.size(); bit += 5) {
    auto damaged = signature;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ 1U << bit % 8);
    EXPECT_TRUE(fails_with(key.public_key().verify(crypto(), {bytes_of("m")}, damaged),
                           ErrorCode::kBadSignature));
  }
}

TEST_P(AnyCurve, RefusesSignaturesOutOfRangeOrLength) {
  const auto key = must(EcPrivateKey::generate(crypto(), GetParam()));
  const auto good = must(key.sign(crypto(), {bytes_of("m")}));
  const auto r = ByteView(good).first(half());
  const auto s = ByteView(good).last(half());
  const Bytes zero(half());
  const Bytes ones(half(), 0xFF);
  const auto longer = concatenated({good, Bytes(1)});
  for (const auto& bad :
       {concatenated({zero, s}), concatenated({r, zero}), concatenated({zero, zero}),
        concatenated({order(), s}), concatenated({r, order()}), concatenated({ones, s}),
        concatenated({r, ones}), to_bytes(ByteView(good).first(good.size() - 1)), longer,
        Bytes()}) {
    EXPECT_TRUE(fails_with(key.public_key().verify(crypto(), {bytes_of("m")}, bad),
                           ErrorCode::kBadSignature))
        << to_hex(bad);
  }
  EXPECT_EQ(ERR_peek_error(), 0U) << "refusing leaves nothing in libcrypto's queue";
}

TEST_P(AnyCurve, RefusesPointsOffTheCurve) {
  const auto key = must(EcPrivateKey::generate(crypto(), GetParam()));
  const auto good = to_bytes(key.public_xy());
  EXPECT_TRUE(is_ok(EcPublicKey::from_xy(crypto(), GetParam(), good)));
  for (const std::size_t at : {std::size_t{0}, half() - 1, half(), good.size() - 1}) {
    auto bad = good;
    bad[at] ^= 1U;
    EXPECT_TRUE(fails_with(EcPublicKey::from_xy(crypto(), GetParam(), bad), ErrorCode::kMalformed));
  }
  for (const auto& bad : {Bytes(good.size()), Bytes(good.size(), 0xFF), Bytes(good.size() - 1),
                          Bytes(good.size() + 1), Bytes()}) {
    EXPECT_TRUE(fails_with(EcPublicKey::from_xy(crypto(), GetParam(), bad), ErrorCode::kMalformed));
  }
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST_P(AnyCurve, TakesScalarsFromOneToTheOrderMinusOne) {
  Bytes one(half());
  one.back() = 1;
  auto last = order();
  last.back() = static_cast<std::uint8_t>(last.back() - 1);
  for (const auto& good : {one, last}) {
    const auto key = must(EcPrivateKey::from_scalar(crypto(), GetParam(), good));
    EXPECT_EQ(to_hex(must(key.scalar()).view()), to_hex(good));
  }
  auto above = order();
  above.back() = static_cast<std::uint8_t>(above.back() + 1);
  for (const auto& bad : {Bytes(half()), order(), above, Bytes(half(), 0xFF), Bytes(half() - 1),
                          Bytes(half() + 1), Bytes()}) {
    EXPECT_TRUE(
        fails_with(EcPrivateKey::from_scalar(crypto(), GetParam(), bad), ErrorCode::kMalformed));
  }
}

TEST_P(AnyCurve, AgreesOnOneSecret) {
  const auto a = must(EcPrivateKey::generate(crypto(), GetParam()));
  const auto b = must(EcPrivateKey::generate(crypto(), GetParam()));
  const auto ab = must(a.ecdh(crypto(), b.public_key()));
  EXPECT_EQ(ab.size(), half());
  EXPECT_TRUE(equal_in_constant_time(ab.view(), must(b.ecdh(crypto(), a.public_key())).view()));
  EXPECT_FALSE(equal_in_constant_time(ab.view(), must(a.ecdh(crypto(), a.public_key())).view()));
}

TEST_P(AnyCurve, WritesPkcs8WithNamedCurveAndPublicKey) {
  const auto key = must(EcPrivateKey::generate(crypto(), GetParam()));
  const auto der = must(key.pkcs8());
  EXPECT_EQ(der.size(), GetParam() == Curve::kP256 ? 138U : 185U);
  const auto* cursor = der.view().data();
  const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(der.size())));
  ASSERT_NE(info, nullptr);
  const PkeyPtr parsed(EVP_PKCS82PKEY_ex(info.get(), crypto().lib(), nullptr));
  ASSERT_NE(parsed, nullptr);
  EXPECT_EQ(EVP_PKEY_eq(parsed.get(), key.public_key().pkey()), 1);
}

TEST_P(AnyCurve, TakesOverParsedKeysOfItsOwnCurveOnly) {
  const auto other = GetParam() == Curve::kP256 ? Curve::kP384 : Curve::kP256;
  const auto key = must(EcPrivateKey::generate(crypto(), GetParam()));
  const auto taken = must(EcPublicKey::from_pkey(crypto(), GetParam(), key.public_key().pkey()));
  EXPECT_EQ(to_hex(taken.xy()), to_hex(key.public_xy()));
  EXPECT_EQ(taken.curve(), GetParam());
  EXPECT_TRUE(fails_with(EcPublicKey::from_pkey(crypto(), other, key.public_key().pkey()),
                         ErrorCode::kMalformed));
  const PkeyPtr ed25519(EVP_PKEY_Q_keygen(crypto().lib(), nullptr, "ED25519"));
  ASSERT_NE(ed25519, nullptr);
  EXPECT_TRUE(fails_with(EcPublicKey::from_pkey(crypto(), GetParam(), ed25519.get()),
                         ErrorCode::kMalformed));
}

TEST(EcKeys, RefuseToAgreeAcrossCurves) {
  const auto a = must(EcPrivateKey::generate(crypto(), Curve::kP256));
  const auto b = must(EcPrivateKey::generate(crypto(), Curve::kP384));
  EXPECT_FALSE(a.ecdh(crypto(), b.public_key()).ok());
}

}  // namespace
}  // namespace tallystick::core::testing
