// X25519 and X448.
#include <gtest/gtest.h>

#include "tallystick/pkcs11_v3.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/vectors.h"

namespace tallystick::test {
namespace {

struct MontgomeryCurve {
  const char* name;
  const char* pkcs11_name;
  std::size_t size;
};
class Montgomery : public ::testing::TestWithParam<MontgomeryCurve> {
 protected:
  Session& session() { return token_.session(); }
  CK_OBJECT_HANDLE import(EVP_PKEY* key) {
    return must(session().create(private_key(key).flag(CKA_DERIVE, true)));
  }
  TestToken token_;
};
INSTANTIATE_TEST_SUITE_P(Each, Montgomery,
                         ::testing::Values(MontgomeryCurve{"X25519", "curve25519", 32},
                                           MontgomeryCurve{"X448", "curve448", 56}),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(Montgomery, AGeneratedPairAgreesWithLibcryptoAndNeedsNoUseNamed) {
  const auto pair = generate_on(session(), GetParam().name);
  EXPECT_EQ(session().number(pair.private_key, CKA_KEY_TYPE), CKK_EC_MONTGOMERY);
  EXPECT_EQ(must(session().get(pair.private_key, CKA_EC_PARAMS)), curve_params(GetParam().name));
  EXPECT_TRUE(session().flag(pair.private_key, CKA_DERIVE));
  EXPECT_FALSE(session().flag(pair.private_key, CKA_SIGN));
  const auto theirs = public_key_of(session(), pair.public_key);
  EXPECT_EQ(must(session().get(pair.public_key, CKA_EC_POINT)), octets(point_of(theirs.get())));
  const auto peer = libcrypto_key(GetParam().name);
  const auto secret =
      must(session().derive(Ecdh(point_of(peer.get())), pair.private_key, readable_secret()));
  EXPECT_EQ(must(session().get(secret, CKA_VALUE)), agreed_with(peer.get(), theirs.get()));
}

TEST_P(Montgomery, ThePeerMayBeRawOrInAnOctetString) {
  const auto own = libcrypto_key(GetParam().name);
  const auto peer = libcrypto_key(GetParam().name);
  const auto key = import(own.get());
  const auto expected = agreed_with(own.get(), peer.get());
  for (const auto& form : {point_of(peer.get()), octets(point_of(peer.get()))}) {
    const auto secret = must(session().derive(Ecdh(form), key, readable_secret()));
    EXPECT_EQ(must(session().get(secret, CKA_VALUE)), expected);
  }
  for (const std::size_t size :
       {0UL, 1UL, GetParam().size - 1, GetParam().size + 1, GetParam().size + 2, 1000UL}) {
    EXPECT_THAT(session().derive(Ecdh(core::Bytes(size, 9)), key, readable_secret()).rv,
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
}

// A24: a point of small order gives zero whatever our key is.
TEST_P(Montgomery, A24_AZeroSecretIsRefused) {
  const auto key = import(libcrypto_key(GetParam().name).get());
  core::Bytes one(GetParam().size, 0);
  one[0] = 1;
  for (const auto& point : {core::Bytes(GetParam().size, 0), one}) {
    EXPECT_THAT(session().derive(Ecdh(point), key, readable_secret()).rv,
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
}

TEST_P(Montgomery, TheCurveMayBeGivenByName) {
  const std::string name = GetParam().pkcs11_name;
  core::Bytes params{0x13, static_cast<std::uint8_t>(name.size())};
  params.insert(params.end(), name.begin(), name.end());
  const auto pair = must(session().generate_pair(CKM_EC_MONTGOMERY_KEY_PAIR_GEN,
                                                 Attributes().bytes(CKA_EC_PARAMS, params), {}));
  EXPECT_EQ(must(session().get(pair.public_key, CKA_EC_PARAMS)), curve_params(GetParam().name));
  for (const auto* const curve : {"P-256", "ED25519", "ED448"}) {
    EXPECT_THAT(session()
                    .generate_pair(CKM_EC_MONTGOMERY_KEY_PAIR_GEN,
                                   Attributes().bytes(CKA_EC_PARAMS, curve_params(curve)), {})
                    .rv,
                ReturnsRv(CKR_CURVE_NOT_SUPPORTED));
  }
}

TEST_P(Montgomery, TheyAgreeAndDoNothingElse) {
  const auto pair = generate_on(session(), GetParam().name, {},
                                Attributes().flag(CKA_SIGN, true).flag(CKA_DERIVE, true));
  for (const auto type : {CKM_EDDSA, CKM_ECDSA}) {
    Mechanism mechanism(type);
    EXPECT_THAT(session()->C_SignInit(session().handle(), mechanism.get(), pair.private_key),
                ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  }
  const auto peer = point_of(libcrypto_key(GetParam().name).get());
  EXPECT_THAT(session()
                  .derive(Ecdh(peer, CKD_NULL, {}, CKM_ECDH1_COFACTOR_DERIVE), pair.private_key,
                          readable_secret())
                  .rv,
              ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
}

TEST_P(Montgomery, APrivateKeyTravelsAsPkcs8) {
  const auto kek =
      generate_aes(session(), Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  const auto pair =
      generate_on(session(), GetParam().name, {}, Attributes().flag(CKA_EXTRACTABLE, true));
  const auto blob = must(session().wrap(CKM_AES_KEY_WRAP_KWP, kek, pair.private_key));
  const auto back = must(session().unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob,
                                          Attributes()
                                              .number(CKA_CLASS, CKO_PRIVATE_KEY)
                                              .number(CKA_KEY_TYPE, CKK_EC_MONTGOMERY)
                                              .flag(CKA_DERIVE, true)));
  const auto peer = point_of(libcrypto_key(GetParam().name).get());
  const auto value = [&](CK_OBJECT_HANDLE key) {
    return must(
        session().get(must(session().derive(Ecdh(peer), key, readable_secret())), CKA_VALUE));
  };
  EXPECT_EQ(value(back), value(pair.private_key));
}

// pkcs11-tool 0.23 writes the name with one byte too few for the length it says.
TEST(MontgomeryKeys, TheFormsOfOlderToolsAreTaken) {
  TestToken token;
  auto cut = curve_name("curve25519");
  cut[1] = 0x0B;
  const core::Bytes old{0x06, 0x0A, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x97, 0x55, 0x01, 0x05, 0x01};
  for (const auto& params : {cut, old}) {
    const auto pair = must(token.session().generate_pair(
        CKM_EC_MONTGOMERY_KEY_PAIR_GEN, Attributes().bytes(CKA_EC_PARAMS, params), {}));
    EXPECT_EQ(must(token.session().get(pair.public_key, CKA_EC_PARAMS)), curve_params("X25519"));
  }
}

// The known answers of RFC 7748, section 5.2.
TEST(MontgomeryKeys, X448AgreesWithItsRfc) {
  struct Known {
    const char* scalar;
    const char* point;
    const char* agreed;
  };
  const std::array<Known, 3> answers = {{
      {"3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121"
       "700a779c984c24f8cdd78fbff44943eba368f54b29259a4f1c600ad3",
       "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9"
       "814dc031ddbdc38c19c6da2583fa5429db94ada18aa7a7fb4ef8a086",
       "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239f"
       "e14fbaadeb445fc66a01b0779d98223961111e21766282f73dd96b6f"},
      {"203d494428b8399352665ddca42f9de8fef600908e0d461cb021f8c5"
       "38345dd77c3e4806e25f46d3315c44e0a5b4371282dd2c8d5be3095f",
       "0fbcc2f993cd56d3305b0b7d9e55d4c1a8fb5dbb52f8e9a1e9b6201b"
       "165d015894e56c4d3570bee52fe205e28a78b91cdfbde71ce8d157db",
       "884a02576239ff7a2f2f63b2db6a9ff37047ac13568e1e30fe63c4a7"
       "ad1b3ee3a5700df34321d62077e63633c575c1c954514e99da7c179d"},
      {"05000000000000000000000000000000000000000000000000000000"
       "00000000000000000000000000000000000000000000000000000000",
       "05000000000000000000000000000000000000000000000000000000"
       "00000000000000000000000000000000000000000000000000000000",
       "3f482c8a9f19b01e6c46ee9711d9dc14fd4bf67af30765c2ae2b846a"
       "4d23a8cd0db897086239492caf350b51f833868b9bc2b3bca9cf4113"},
  }};
  TestToken token;
  auto& session = token.session();
  for (const auto& known : answers) {
    const auto own = must(session.create(Attributes()
                                             .number(CKA_CLASS, CKO_PRIVATE_KEY)
                                             .number(CKA_KEY_TYPE, CKK_EC_MONTGOMERY)
                                             .bytes(CKA_EC_PARAMS, curve_params("X448"))
                                             .bytes(CKA_VALUE, unhex(known.scalar))
                                             .flag(CKA_DERIVE, true)));
    const auto secret = must(session.derive(Ecdh(unhex(known.point)), own, readable_secret()));
    EXPECT_EQ(must(session.get(secret, CKA_VALUE)), unhex(known.agreed));
  }
}

}  // namespace
}  // namespace tallystick::test
