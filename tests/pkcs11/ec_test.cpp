// EC keys and ECDSA.
#include "core/crypto/ec.h"

#include <gtest/gtest.h>

#include "core/base/reader.h"
#include "core/crypto/hash.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/support/value.h"
#include "tests/support/world.h"

namespace tallystick::test {
namespace {

using core::Curve;

CK_MECHANISM_TYPE hashing(Curve curve) {
  return curve == Curve::kP256 ? CKM_ECDSA_SHA256 : CKM_ECDSA_SHA384;
}
CK_MECHANISM_TYPE digest_of(Curve curve) { return curve == Curve::kP256 ? CKM_SHA256 : CKM_SHA384; }

class AnyCurve : public ::testing::TestWithParam<Curve> {
 protected:
  TestToken token_;
};
INSTANTIATE_TEST_SUITE_P(Both, AnyCurve, ::testing::Values(Curve::kP256, Curve::kP384),
                         [](const auto& tested) {
                           return tested.param == Curve::kP256 ? "P256" : "P384";
                         });

TEST_P(AnyCurve, SignaturesOfAGeneratedKeyVerifyWithLibcrypto) {
  auto& session = token_.session();
  const auto pair = generate_ec(session, GetParam());
  const auto& crypto = *shared_crypto();
  const auto key =
      value(core::EcPublicKey::from_xy(crypto, GetParam(), public_xy(session, pair.public_key)));
  for (const auto& message : {bytes(""), bytes("message"), core::Bytes(100000, 0x77)}) {
    const auto signature = must(session.sign(hashing(GetParam()), pair.private_key, message));
    EXPECT_EQ(signature.size(), 2 * core::field_size(GetParam()));
    EXPECT_TRUE(key.verify(crypto, {message}, signature).ok());
    const auto parts =
        must(session.sign_parts(hashing(GetParam()), pair.private_key, message, 4096));
    EXPECT_TRUE(key.verify(crypto, {message}, parts).ok());
    // The bare mechanism signs the hash that the caller made.
    const auto hash = must(session.digest(digest_of(GetParam()), message));
    const auto bare = must(session.sign(CKM_ECDSA, pair.private_key, hash));
    EXPECT_TRUE(key.verify(crypto, {message}, bare).ok());
    EXPECT_THAT(session.verify(CKM_ECDSA, pair.public_key, hash, bare), IsOk());
    EXPECT_THAT(session.verify(hashing(GetParam()), pair.public_key, message, bare), IsOk());
  }
}

TEST_P(AnyCurve, SignaturesOfLibcryptoVerifyInTheToken) {
  auto& session = token_.session();
  const auto& crypto = *shared_crypto();
  const auto key = value(core::EcPrivateKey::generate(crypto, GetParam()));
  const auto imported = must(session.create(ec_public_key(GetParam(), key.public_xy())));
  const auto message = bytes("signed elsewhere");
  const auto signature = value(key.sign(crypto, {message}));
  EXPECT_THAT(session.verify(hashing(GetParam()), imported, message, signature), IsOk());
  EXPECT_THAT(session.verify_parts(hashing(GetParam()), imported, message, signature, 3), IsOk());
  for (std::size_t at = 0; at < signature.size(); ++at) {
    auto damaged = signature;
    damaged[at] ^= 1U;
    ASSERT_THAT(session.verify(hashing(GetParam()), imported, message, damaged),
                ReturnsRv(CKR_SIGNATURE_INVALID));
  }
  auto longer = signature;
  longer.push_back(0);
  EXPECT_THAT(session.verify(hashing(GetParam()), imported, message, longer),
              ReturnsRv(CKR_SIGNATURE_LEN_RANGE));
  longer.resize(signature.size() - 1);
  EXPECT_THAT(session.verify(hashing(GetParam()), imported, message, longer),
              ReturnsRv(CKR_SIGNATURE_LEN_RANGE));
  EXPECT_THAT(
      session.verify(hashing(GetParam()), imported, message, core::Bytes(signature.size(), 0)),
      ReturnsRv(CKR_SIGNATURE_INVALID));
}

TEST_P(AnyCurve, AnImportedPrivateKeySignsAsItsOwner) {
  auto& session = token_.session();
  const auto& crypto = *shared_crypto();
  const auto key = value(core::EcPrivateKey::generate(crypto, GetParam()));
  const auto scalar = value(key.scalar());
  const auto imported = must(session.create(ec_private_key(GetParam(), scalar.view())));
  const auto signature = must(session.sign(hashing(GetParam()), imported, bytes("x")));
  EXPECT_TRUE(key.public_key().verify(crypto, {bytes("x")}, signature).ok());
  EXPECT_THAT(session.get(imported, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
}

TEST_P(AnyCurve, TheStockToolsTemplateOfAPairIsTaken) {
  auto& session = token_.session();
  const auto pair = generate_ec(session, GetParam(),
                                Attributes()
                                    .flag(CKA_TOKEN, true)
                                    .flag(CKA_VERIFY, true)
                                    .flag(CKA_DERIVE, true)
                                    .text(CKA_LABEL, "stock"),
                                Attributes()
                                    .flag(CKA_TOKEN, true)
                                    .flag(CKA_PRIVATE, true)
                                    .flag(CKA_SENSITIVE, true)
                                    .flag(CKA_SIGN, true)
                                    .flag(CKA_DERIVE, true)
                                    .text(CKA_LABEL, "stock"));
  EXPECT_TRUE(session.flag(pair.private_key, CKA_SIGN));
  EXPECT_TRUE(session.flag(pair.private_key, CKA_DERIVE));
  EXPECT_FALSE(session.flag(pair.private_key, CKA_DECRYPT));
}

TEST(Ec, KeysAreForTheCurvesThatAreNamed) {
  TestToken token;
  auto unknown = ec_params(Curve::kP256);
  unknown.back() = 0x01;  // secp192r1
  EXPECT_NE(token.session()
                .generate_pair(CKM_EC_KEY_PAIR_GEN, Attributes().bytes(CKA_EC_PARAMS, unknown), {})
                .rv,
            CKR_OK);
  EXPECT_NE(token.session()
                .generate_pair(CKM_EC_KEY_PAIR_GEN, Attributes().bytes(CKA_EC_PARAMS, {}), {})
                .rv,
            CKR_OK);
}

TEST(Ec, APublicKeyMayCarryItsPointBareAsSomeToolsWriteIt) {
  TestToken token;
  const auto& crypto = *shared_crypto();
  const auto key = value(core::EcPrivateKey::generate(crypto, Curve::kP256));
  core::Writer point;
  point.u8(4).bytes(key.public_xy());
  const auto bare = point.take();
  const auto made = token.session().create(Attributes()
                                               .number(CKA_CLASS, CKO_PUBLIC_KEY)
                                               .number(CKA_KEY_TYPE, CKK_EC)
                                               .bytes(CKA_EC_PARAMS, ec_params(Curve::kP256))
                                               .bytes(CKA_EC_POINT, bare));
  ASSERT_TRUE(made.rv == CKR_OK || made.rv == CKR_ATTRIBUTE_VALUE_INVALID) << rv_name(made.rv);
  if (made.rv == CKR_OK) {
    EXPECT_EQ(core::Bytes(key.public_xy().begin(), key.public_xy().end()),
              public_xy(token.session(), made.value));
  }
}

}  // namespace
}  // namespace tallystick::test
