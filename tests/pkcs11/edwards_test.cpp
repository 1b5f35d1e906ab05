// Ed25519 and Ed448.
#include <gtest/gtest.h>

#include "tallystick/pkcs11_v3.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"

namespace tallystick::test {
namespace {

struct EdwardsCurve {
  const char* name;
  const char* pkcs11_name;
  std::size_t size;
  std::size_t signature;
};
class Edwards : public ::testing::TestWithParam<EdwardsCurve> {
 protected:
  Session& session() { return token_.session(); }
  CK_RV sign_start(CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
    return session()->C_SignInit(session().handle(), mechanism, key);
  }
  core::Bytes name_params() const { return curve_name(GetParam().pkcs11_name); }
  TestToken token_;
};
INSTANTIATE_TEST_SUITE_P(Each, Edwards,
                         ::testing::Values(EdwardsCurve{"ED25519", "edwards25519", 32, 64},
                                           EdwardsCurve{"ED448", "edwards448", 57, 114}),
                         [](const auto& tested) { return tested.param.name; });

// EdDSA is deterministic, so that both sides give the same bytes.
TEST_P(Edwards, SignaturesAreThoseOfLibcrypto) {
  const auto own = libcrypto_key(GetParam().name);
  const auto private_half = must(session().create(private_key(own.get())));
  const auto public_half = must(session().create(public_key(own.get())));
  for (const auto& message : {bytes(""), bytes("message"), core::Bytes(100000, 0x77)}) {
    const auto made = must(session().sign(CKM_EDDSA, private_half, message));
    EXPECT_EQ(made.size(), GetParam().signature);
    EXPECT_EQ(made, signed_by(own.get(), {}, message));
    EXPECT_EQ(made, must(session().sign_parts(CKM_EDDSA, private_half, message, 4096)));
    EXPECT_THAT(session().verify(CKM_EDDSA, public_half, message, made), IsOk());
    EXPECT_THAT(session().verify_parts(CKM_EDDSA, public_half, message, made, 999), IsOk());
    auto other = message;
    other.push_back(0);
    EXPECT_THAT(session().verify(CKM_EDDSA, public_half, other, made),
                ReturnsRv(CKR_SIGNATURE_INVALID));
    for (const auto at : {std::size_t{0}, made.size() / 2, made.size() - 2}) {
      auto damaged = made;
      damaged[at] ^= 1U;
      EXPECT_THAT(session().verify(CKM_EDDSA, public_half, message, damaged),
                  ReturnsRv(CKR_SIGNATURE_INVALID));
    }
    for (const auto size : {std::size_t{0}, made.size() - 1, made.size() + 1}) {
      auto other_length = made;
      other_length.resize(size);
      EXPECT_THAT(session().verify(CKM_EDDSA, public_half, message, other_length),
                  ReturnsRv(CKR_SIGNATURE_LEN_RANGE));
    }
  }
}

TEST_P(Edwards, AGeneratedPairSaysWhatItIsAndIsThereAfterARestart) {
  const auto stored = Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, "kept");
  const auto pair = generate_on(session(), GetParam().name, stored, stored);
  for (const auto half : {pair.public_key, pair.private_key}) {
    EXPECT_EQ(session().number(half, CKA_KEY_TYPE), CKK_EC_EDWARDS);
    EXPECT_EQ(must(session().get(half, CKA_EC_PARAMS)), curve_params(GetParam().name));
    EXPECT_TRUE(session().flag(half, CKA_LOCAL));
  }
  const auto theirs = public_key_of(session(), pair.public_key);
  EXPECT_EQ(must(session().get(pair.public_key, CKA_EC_POINT)), octets(point_of(theirs.get())));
  EXPECT_THAT(session().get(pair.private_key, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
  const auto before = must(session().sign(CKM_EDDSA, pair.private_key, bytes("x")));
  EXPECT_TRUE(verifies(theirs.get(), {}, bytes("x"), before));
  token_.restart_and_login();
  const auto again =
      session().find(Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY).text(CKA_LABEL, "kept"));
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(must(session().sign(CKM_EDDSA, again[0], bytes("x"))), before);
}

TEST_P(Edwards, TheCurveMayBeGivenByNameAndIsKeptAsAnIdentifier) {
  const auto pair = must(session().generate_pair(
      CKM_EC_EDWARDS_KEY_PAIR_GEN, Attributes().bytes(CKA_EC_PARAMS, name_params()), {}));
  EXPECT_EQ(must(session().get(pair.public_key, CKA_EC_PARAMS)), curve_params(GetParam().name));
  // Some callers put it into the private half's template, some into both.
  must(session().generate_pair(CKM_EC_EDWARDS_KEY_PAIR_GEN, {},
                               Attributes().bytes(CKA_EC_PARAMS, name_params())));
  const auto own = libcrypto_key(GetParam().name);
  must(session().create(Attributes()
                            .number(CKA_CLASS, CKO_PRIVATE_KEY)
                            .number(CKA_KEY_TYPE, CKK_EC_EDWARDS)
                            .bytes(CKA_EC_PARAMS, name_params())
                            .bytes(CKA_VALUE, private_value_of(own.get()))));
}

TEST_P(Edwards, APublicKeyIsTakenRawOrInAnOctetStringOrInABitString) {
  const auto own = libcrypto_key(GetParam().name);
  const auto raw = point_of(own.get());
  const auto signature = signed_by(own.get(), {}, bytes("x"));
  auto after_zero = raw;  // no bit of the last byte is unused
  after_zero.insert(after_zero.begin(), 0);
  const auto bit_string = der(0x03, after_zero);
  const auto import = [&](const core::Bytes& point) {
    return session().create(Attributes()
                                .number(CKA_CLASS, CKO_PUBLIC_KEY)
                                .number(CKA_KEY_TYPE, CKK_EC_EDWARDS)
                                .bytes(CKA_EC_PARAMS, curve_params(GetParam().name))
                                .bytes(CKA_EC_POINT, point));
  };
  for (const auto& form : {raw, octets(raw), bit_string}) {
    const auto key = must(import(form));
    EXPECT_EQ(must(session().get(key, CKA_EC_POINT)), octets(raw));
    EXPECT_THAT(session().verify(CKM_EDDSA, key, bytes("x"), signature), IsOk());
  }
  // Unused bits, a byte too few or too many, another tag.
  auto unused = bit_string;
  unused[2] = 1;
  auto tag = octets(raw);
  tag[0] = 0x05;
  auto length = octets(raw);
  length[1] ^= 1U;
  auto more = octets(raw);
  more.push_back(0);
  for (const auto& form : {unused, tag, length, more, core::Bytes{}, octets({}),
                           core::Bytes(raw.begin(), raw.end() - 1)}) {
    EXPECT_THAT(import(form).rv, ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  }
}

TEST_P(Edwards, PrivateValuesOfAnotherLengthAreRefused) {
  const auto own = libcrypto_key(GetParam().name);
  const auto import = [&](const core::Bytes& value) {
    return session()
        .create(Attributes()
                    .number(CKA_CLASS, CKO_PRIVATE_KEY)
                    .number(CKA_KEY_TYPE, CKK_EC_EDWARDS)
                    .bytes(CKA_EC_PARAMS, curve_params(GetParam().name))
                    .bytes(CKA_VALUE, value))
        .rv;
  };
  for (const std::size_t size : {0UL, 1UL, GetParam().size - 1, GetParam().size + 1, 10000UL}) {
    EXPECT_THAT(import(core::Bytes(size, 1)), ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  }
  EXPECT_THAT(import(private_value_of(own.get())), IsOk());
}

TEST_P(Edwards, AKeyWithoutItsCurvePointOrValueIsIncomplete) {
  const auto incomplete = ReturnsRv(CKR_TEMPLATE_INCOMPLETE);
  const auto own = libcrypto_key(GetParam().name);
  const auto of = [](CK_OBJECT_CLASS object_class) {
    return Attributes().number(CKA_CLASS, object_class).number(CKA_KEY_TYPE, CKK_EC_EDWARDS);
  };
  const auto rv = [&](const Attributes& key) { return session().create(key).rv; };
  EXPECT_THAT(rv(of(CKO_PUBLIC_KEY).bytes(CKA_EC_POINT, point_of(own.get()))), incomplete);
  EXPECT_THAT(rv(of(CKO_PUBLIC_KEY).bytes(CKA_EC_PARAMS, name_params())), incomplete);
  EXPECT_THAT(rv(of(CKO_PRIVATE_KEY).bytes(CKA_VALUE, private_value_of(own.get()))), incomplete);
  EXPECT_THAT(rv(of(CKO_PRIVATE_KEY).bytes(CKA_EC_PARAMS, name_params())), incomplete);
}

// It is held until it is whole: EdDSA reads it twice.
TEST_P(Edwards, A67_AMessageInPartsIsCapped) {
  const auto pair = generate_on(session(), GetParam().name);
  Mechanism eddsa(CKM_EDDSA);
  core::Bytes most(64UL << 20U);
  const auto s = session().handle();
  ASSERT_THAT(sign_start(eddsa.get(), pair.private_key), IsOk());
  EXPECT_THAT(session()->C_SignUpdate(s, most.data(), most.size()), IsOk());
  EXPECT_THAT(session()->C_SignUpdate(s, most.data(), 1), ReturnsRv(CKR_DATA_LEN_RANGE));
  CK_ULONG size = most.size();
  EXPECT_THAT(session()->C_SignFinal(s, most.data(), &size),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
}

TEST_P(Edwards, AnotherCurveOfAnotherTypeIsRefused) {
  for (const auto* const curve : {"P-256", "X25519", "X448"}) {
    const auto rv = session()
                        .generate_pair(CKM_EC_EDWARDS_KEY_PAIR_GEN,
                                       Attributes().bytes(CKA_EC_PARAMS, curve_params(curve)), {})
                        .rv;
    EXPECT_THAT(rv, ReturnsRv(CKR_CURVE_NOT_SUPPORTED)) << curve;
  }
  for (const auto& params :
       {core::Bytes{}, core::Bytes{0x05, 0x00}, core::Bytes(300, 1), bytes("edwards25519")}) {
    EXPECT_THAT(session()
                    .generate_pair(CKM_EC_EDWARDS_KEY_PAIR_GEN,
                                   Attributes().bytes(CKA_EC_PARAMS, params), {})
                    .rv,
                ReturnsRv(CKR_CURVE_NOT_SUPPORTED));
  }
  EXPECT_THAT(session().generate_pair(CKM_EC_EDWARDS_KEY_PAIR_GEN, {}, {}).rv,
              ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_NE(session()
                .generate_pair(CKM_EC_KEY_PAIR_GEN,
                               Attributes().bytes(CKA_EC_PARAMS, curve_params(GetParam().name)), {})
                .rv,
            CKR_OK);
  // A template that says two curves.
  EXPECT_THAT(session()
                  .generate_pair(CKM_EC_EDWARDS_KEY_PAIR_GEN,
                                 Attributes().bytes(CKA_EC_PARAMS, curve_params("ED25519")),
                                 Attributes().bytes(CKA_EC_PARAMS, curve_params("ED448")))
                  .rv,
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
}

TEST_P(Edwards, ContextsAndHashedMessagesAreRefused) {
  const auto pair = generate_on(session(), GetParam().name);
  const bool ed448 = GetParam().size == 57;
  auto context = bytes("context");
  // With a byte behind it, for a length that is too long.
  std::array<CK_EDDSA_PARAMS, 2> room{};
  auto& params = room.front();
  CK_MECHANISM mechanism{CKM_EDDSA, &params, sizeof params};
  // Ed448 without a context is the same with and without a parameter; Ed25519 with one would be
  // Ed25519ctx, which signs differently.
  if (ed448) {
    EXPECT_EQ(must(session().sign(CKM_EDDSA, pair.private_key, bytes("x"))), [&] {
      EXPECT_THAT(sign_start(&mechanism, pair.private_key), IsOk());
      core::Bytes out(114);
      CK_ULONG size = out.size();
      auto data = bytes("x");
      EXPECT_THAT(session()->C_Sign(session().handle(), data.data(), 1, out.data(), &size), IsOk());
      return out;
    }());
  } else {
    EXPECT_THAT(sign_start(&mechanism, pair.private_key), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
  const auto refuse = [&](const CK_EDDSA_PARAMS& changed) {
    params = changed;
    EXPECT_THAT(sign_start(&mechanism, pair.private_key), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    EXPECT_THAT(session()->C_VerifyInit(session().handle(), &mechanism, pair.public_key),
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  };
  refuse({CK_TRUE, 0, nullptr});
  refuse({2, 0, nullptr});
  refuse({CK_FALSE, context.size(), context.data()});
  refuse({CK_FALSE, context.size(), nullptr});
  refuse({CK_FALSE, ~0UL, context.data()});
  params = {CK_FALSE, 0, nullptr};
  for (const auto size : {sizeof params - 1, sizeof params + 1, std::size_t{1}}) {
    mechanism.ulParameterLen = size;
    EXPECT_THAT(sign_start(&mechanism, pair.private_key), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
}

TEST_P(Edwards, KeysOfOtherTypesAreRefused) {
  const auto ec = generate_ec(session());
  const auto edwards = generate_on(session(), GetParam().name);
  Mechanism eddsa(CKM_EDDSA);
  Mechanism ecdsa(CKM_ECDSA_SHA256);
  EXPECT_THAT(sign_start(eddsa.get(), ec.private_key), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(sign_start(ecdsa.get(), edwards.private_key), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(sign_start(eddsa.get(), edwards.public_key),
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
}

TEST_P(Edwards, APrivateKeyTravelsAsPkcs8) {
  const auto kek =
      generate_aes(session(), Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  const auto pair =
      generate_on(session(), GetParam().name, {}, Attributes().flag(CKA_EXTRACTABLE, true));
  const auto blob = must(session().wrap(CKM_AES_KEY_WRAP_KWP, kek, pair.private_key));
  const auto wanted = [](CK_KEY_TYPE type) {
    return Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY).number(CKA_KEY_TYPE, type);
  };
  const auto back = must(session().unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob,
                                          wanted(CKK_EC_EDWARDS).flag(CKA_SIGN, true)));
  EXPECT_EQ(must(session().sign(CKM_EDDSA, back, bytes("x"))),
            must(session().sign(CKM_EDDSA, pair.private_key, bytes("x"))));
  for (const auto type : {CKK_EC, CKK_RSA, CKK_EC_MONTGOMERY}) {
    EXPECT_THAT(session().unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, wanted(type)).rv,
                ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  }
}

// A12
TEST_P(Edwards, A12_AKeyLeavesOnlyUnderOneThatIsAsStrong) {
  const auto kek = generate_aes(session(), Attributes().flag(CKA_WRAP, true), 16);
  const auto pair =
      generate_on(session(), GetParam().name, {}, Attributes().flag(CKA_EXTRACTABLE, true));
  EXPECT_THAT(session().wrap(CKM_AES_KEY_WRAP_KWP, kek, pair.private_key).rv,
              ReturnsRv(GetParam().size == 32 ? CKR_OK : CKR_WRAPPING_KEY_SIZE_RANGE));
}

// The identifier from before RFC 8410, as pkcs11-tool sends it.
TEST(EdwardsKeys, TheOldIdentifierOfEd25519IsTaken) {
  TestToken token;
  const core::Bytes old{0x06, 0x09, 0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x0F, 0x01};
  const auto pair = must(token.session().generate_pair(CKM_EC_EDWARDS_KEY_PAIR_GEN,
                                                       Attributes().bytes(CKA_EC_PARAMS, old), {}));
  EXPECT_EQ(must(token.session().get(pair.public_key, CKA_EC_PARAMS)), curve_params("ED25519"));
}

}  // namespace
}  // namespace tallystick::test
