// P-521, and ECDSA with every hash on every curve, against plain libcrypto.
#include <gtest/gtest.h>

#include "tallystick/pkcs11_v3.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"

namespace tallystick::test {
namespace {

struct CurveSizes {
  const char* name;
  std::size_t field;
};
class NistCurve : public ::testing::TestWithParam<CurveSizes> {
 protected:
  Session& session() { return token_.session(); }
  TestToken token_;
};
INSTANTIATE_TEST_SUITE_P(Each, NistCurve,
                         ::testing::Values(CurveSizes{"P-256", 32}, CurveSizes{"P-384", 48},
                                           CurveSizes{"P-521", 66}),
                         [](const auto& tested) {
                           return "P" + std::string(tested.param.name).substr(2);
                         });

TEST_P(NistCurve, EcdsaWithEveryHashAgreesWithLibcrypto) {
  const auto pair = generate_on(session(), GetParam().name);
  const auto theirs = public_key_of(session(), pair.public_key);
  const auto own = libcrypto_key(GetParam().name);
  const auto imported = must(session().create(public_key(own.get())));
  for (const auto& hash : kHashCases) {
    SCOPED_TRACE(hash.name);
    const Scheme scheme{.hash = hash.name};
    for (const auto& message : {bytes(""), bytes("message"), core::Bytes(5000, 0x77)}) {
      const auto made = must(session().sign(hash.ecdsa, pair.private_key, message));
      EXPECT_EQ(made.size(), 2 * GetParam().field);
      EXPECT_TRUE(verifies(theirs.get(), scheme, message, ecdsa_der(made)));
      const auto in_parts = must(session().sign_parts(hash.ecdsa, pair.private_key, message, 1000));
      EXPECT_TRUE(verifies(theirs.get(), scheme, message, ecdsa_der(in_parts)));
      const auto given = ecdsa_raw(signed_by(own.get(), scheme, message), GetParam().field);
      EXPECT_THAT(session().verify(hash.ecdsa, imported, message, given), IsOk());
      auto other = message;
      other.push_back(1);
      EXPECT_THAT(session().verify(hash.ecdsa, imported, other, given),
                  ReturnsRv(CKR_SIGNATURE_INVALID));
    }
  }
}

TEST_P(NistCurve, APairSaysWhatItIsAndAnImportedKeySignsAsItsOwner) {
  const auto pair = generate_on(session(), GetParam().name);
  const auto point = must(session().get(pair.public_key, CKA_EC_POINT));
  const auto theirs = public_key_of(session(), pair.public_key);
  EXPECT_EQ(point, octets(point_of(theirs.get())));
  for (const auto half : {pair.public_key, pair.private_key}) {
    EXPECT_EQ(must(session().get(half, CKA_EC_PARAMS)), curve_params(GetParam().name));
    EXPECT_EQ(session().number(half, CKA_KEY_TYPE), CKK_EC);
  }
  const auto own = libcrypto_key(GetParam().name);
  const auto imported = must(session().create(private_key(own.get())));
  const auto made = must(session().sign(CKM_ECDSA_SHA512, imported, bytes("x")));
  EXPECT_TRUE(verifies(own.get(), {.hash = "SHA512"}, bytes("x"), ecdsa_der(made)));
}

// A24
TEST_P(NistCurve, A24_PointsOffTheCurveAndScalarsOutOfRangeAreNotImported) {
  const auto own = libcrypto_key(GetParam().name);
  auto good = point_of(own.get());
  const auto refuse = [&](const core::Bytes& point) {
    EXPECT_THAT(session()
                    .create(Attributes()
                                .number(CKA_CLASS, CKO_PUBLIC_KEY)
                                .number(CKA_KEY_TYPE, CKK_EC)
                                .bytes(CKA_EC_PARAMS, curve_params(GetParam().name))
                                .bytes(CKA_EC_POINT, point))
                    .rv,
                ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  };
  auto off = good;
  off.back() ^= 1U;
  refuse(octets(off));
  refuse(off);
  refuse({});
  refuse({0});
  refuse(octets({}));
  refuse(octets(core::Bytes{0}));
  refuse(core::Bytes(good.begin(), good.end() - 1));
  refuse(octets(core::Bytes(good.begin(), good.end() - 1)));
  auto longer = octets(good);
  longer.push_back(0);
  refuse(longer);
  refuse(octets(core::Bytes(good.size(), 0xFF)));
  auto compressed =
      core::Bytes(good.begin(), good.begin() + 1 + static_cast<long>(GetParam().field));
  compressed[0] = 2;
  refuse(octets(compressed));
  const auto scalar = [&](const core::Bytes& value) {
    return session()
        .create(Attributes()
                    .number(CKA_CLASS, CKO_PRIVATE_KEY)
                    .number(CKA_KEY_TYPE, CKK_EC)
                    .bytes(CKA_EC_PARAMS, curve_params(GetParam().name))
                    .bytes(CKA_VALUE, value))
        .rv;
  };
  for (const auto& value : {core::Bytes{}, core::Bytes(GetParam().field, 0),
                            core::Bytes(GetParam().field, 0xFF), core::Bytes(1000, 1)}) {
    EXPECT_THAT(scalar(value), ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  }
}

TEST_P(NistCurve, AKeyWithoutItsCurvePointOrValueIsIncomplete) {
  const auto incomplete = ReturnsRv(CKR_TEMPLATE_INCOMPLETE);
  const auto own = libcrypto_key(GetParam().name);
  const auto params = curve_params(GetParam().name);
  const auto of = [](CK_OBJECT_CLASS object_class) {
    return Attributes().number(CKA_CLASS, object_class).number(CKA_KEY_TYPE, CKK_EC);
  };
  const auto rv = [&](const Attributes& key) { return session().create(key).rv; };
  EXPECT_THAT(rv(of(CKO_PUBLIC_KEY).bytes(CKA_EC_POINT, octets(point_of(own.get())))), incomplete);
  EXPECT_THAT(rv(of(CKO_PUBLIC_KEY).bytes(CKA_EC_PARAMS, params)), incomplete);
  EXPECT_THAT(rv(of(CKO_PRIVATE_KEY).bytes(CKA_VALUE, private_value_of(own.get()))), incomplete);
  EXPECT_THAT(rv(of(CKO_PRIVATE_KEY).bytes(CKA_EC_PARAMS, params)), incomplete);
}

TEST_P(NistCurve, ACurveThatIsNotOfferedIsToldFromWhatNamesNone) {
  const auto rv = [&](const core::Bytes& params) {
    return session()
        .generate_pair(CKM_EC_KEY_PAIR_GEN, Attributes().bytes(CKA_EC_PARAMS, params), {})
        .rv;
  };
  // secp256k1, and an Edwards curve.
  const core::Bytes other{0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x0A};
  EXPECT_THAT(rv(other), ReturnsRv(CKR_CURVE_NOT_SUPPORTED));
  EXPECT_THAT(rv(curve_params("ED25519")), ReturnsRv(CKR_CURVE_NOT_SUPPORTED));
  auto longer = other;
  longer.push_back(0);
  for (const auto& none : {longer, core::Bytes{}, core::Bytes{0x05, 0x00}, core::Bytes{0x06},
                           curve_name("secp256k1")}) {
    EXPECT_THAT(rv(none), ReturnsRv(CKR_DOMAIN_PARAMS_INVALID)) << core::to_hex(none);
  }
}

TEST_P(NistCurve, AHashThatIsSignedHasOneTo512Bytes) {
  const auto pair = generate_on(session(), GetParam().name);
  for (const std::size_t size : {1UL, 512UL}) {
    const core::Bytes hash(size, 0x5A);
    const auto made = must(session().sign(CKM_ECDSA, pair.private_key, hash));
    EXPECT_THAT(session().verify(CKM_ECDSA, pair.public_key, hash, made), IsOk());
  }
  for (const std::size_t size : {0UL, 513UL, 100000UL}) {
    const core::Bytes hash(size, 0x5A);
    EXPECT_THAT(session().sign(CKM_ECDSA, pair.private_key, hash).rv,
                ReturnsRv(CKR_DATA_LEN_RANGE));
    EXPECT_THAT(
        session().verify(CKM_ECDSA, pair.public_key, hash, core::Bytes(2 * GetParam().field, 1)),
        ReturnsRv(CKR_DATA_LEN_RANGE));
  }
}

// What a wrapped key is, is said by what is inside: by no template, of whatever type.
TEST_P(NistCurve, A10_AKeyIsUnwrappedAsOneOfItsTypeOnly) {
  const auto kek =
      generate_aes(session(), Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  const auto pair =
      generate_on(session(), GetParam().name, {}, Attributes().flag(CKA_EXTRACTABLE, true));
  const auto blob = must(session().wrap(CKM_AES_KEY_WRAP_KWP, kek, pair.private_key));
  const auto as = [&](CK_OBJECT_CLASS object_class, CK_KEY_TYPE type) {
    return session()
        .unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob,
                Attributes().number(CKA_CLASS, object_class).number(CKA_KEY_TYPE, type))
        .rv;
  };
  EXPECT_THAT(as(CKO_PRIVATE_KEY, CKK_EC), IsOk());
  for (const CK_KEY_TYPE type :
       {CKK_RSA, CKK_EC_EDWARDS, CKK_EC_MONTGOMERY, CKK_ML_KEM, CKK_ML_DSA, CKK_SLH_DSA, CKK_DSA}) {
    EXPECT_THAT(as(CKO_PRIVATE_KEY, type), ReturnsRv(CKR_WRAPPED_KEY_INVALID)) << type;
  }
  for (const CK_OBJECT_CLASS object_class : {CKO_PUBLIC_KEY, CKO_CERTIFICATE, CKO_DATA}) {
    EXPECT_THAT(as(object_class, CKK_EC), ReturnsRv(CKR_TEMPLATE_INCONSISTENT)) << object_class;
  }
}

TEST(NistCurves, AKeyOnP521TravelsAsPkcs8) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  const auto pair = generate_on(session, "P-521", {}, Attributes().flag(CKA_EXTRACTABLE, true));
  const auto blob = must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, pair.private_key));
  const auto back = must(session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob,
                                        Attributes()
                                            .number(CKA_CLASS, CKO_PRIVATE_KEY)
                                            .number(CKA_KEY_TYPE, CKK_EC)
                                            .flag(CKA_SIGN, true)));
  EXPECT_THAT(session.verify(CKM_ECDSA_SHA512, pair.public_key, bytes("x"),
                             must(session.sign(CKM_ECDSA_SHA512, back, bytes("x")))),
              IsOk());
}

}  // namespace
}  // namespace tallystick::test
