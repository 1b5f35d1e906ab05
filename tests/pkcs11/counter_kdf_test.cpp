// SP 800-108 in counter mode: the layouts of its input, several keys in one call, which keys it
// takes. The published answers are in vectors/kdf_test.cpp.
#include <gtest/gtest.h>

#include "core/crypto/kdf.h"
#include "core/crypto/mac.h"
#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/symmetric.h"

namespace tallystick::test {
namespace {

const core::Crypto& libcrypto() {
  static const auto made = core::Crypto::create();
  return **made;
}

core::Bytes hmac256(const core::Bytes& key, const core::Bytes& input) {
  core::Bytes out(32);
  if (!core::hmac(libcrypto(), core::Hash::kSha256, key, {input}, out)) {
    throw std::runtime_error("HMAC");
  }
  return out;
}

class CounterKdfs : public ::testing::Test {
 protected:
  CounterKdfs() : secret_(some_bytes(32)), base_(base_key(session(), secret_)) {}
  Session& session() { return token_.session(); }
  core::Bytes value(CK_OBJECT_HANDLE key) { return must(session().get(key, CKA_VALUE)); }
  core::Bytes first(const CounterKdf& kdf, CK_ULONG length = 32) {
    return value(must(session().derive(kdf, base_, readable_secret(length))));
  }
  CK_RV rv(const CounterKdf& kdf, const Attributes& wanted = readable_secret(32)) {
    return session().derive(kdf, base_, wanted).rv;
  }
  std::size_t objects() { return session().find({}).size(); }

  TestToken token_;
  core::Bytes secret_;
  CK_OBJECT_HANDLE base_;
};

TEST_F(CounterKdfs, TheLayoutOfLibcryptoGivesWhatLibcryptoGives) {
  for (const std::size_t size : {16U, 32U, 100U, 1000U}) {
    CounterKdf kdf(CKM_SHA256_HMAC);
    kdf.counter().bytes(bytes("label")).bytes({0}).bytes(bytes("context")).length();
    const auto expected =
        core::counter_kdf(libcrypto(), core::Hash::kSha256, secret_, core::bytes_of("label"),
                          core::bytes_of("context"), size);
    ASSERT_TRUE(expected);
    const auto view = expected->view();
    EXPECT_EQ(first(kdf, size), core::Bytes(view.begin(), view.end()));
  }
}

TEST_F(CounterKdfs, NumbersStandInAnyWidthAndOrderOfBytes) {
  const auto with = [&](const CounterKdf& kdf, const core::Bytes& input) {
    EXPECT_EQ(first(kdf), hmac256(secret_, input));
  };
  with(CounterKdf(CKM_SHA256_HMAC).counter(8), {1});
  with(CounterKdf(CKM_SHA256_HMAC).counter(16), {0, 1});
  with(CounterKdf(CKM_SHA256_HMAC).counter(24, true), {1, 0, 0});
  with(CounterKdf(CKM_SHA256_HMAC).counter(32, true), {1, 0, 0, 0});
  with(CounterKdf(CKM_SHA256_HMAC).length(16).counter(8), {1, 0, 1});
  with(CounterKdf(CKM_SHA256_HMAC).counter(8).length(24, true), {1, 0, 1, 0});
  with(CounterKdf(CKM_SHA256_HMAC).counter(8).length(64), {1, 0, 0, 0, 0, 0, 0, 1, 0});
  with(CounterKdf(CKM_SHA256_HMAC).bytes({7}).counter(8).bytes({}).bytes({8, 9}), {7, 1, 8, 9});
}

TEST_F(CounterKdfs, ACounterOrLengthThatDoesNotFitIsRefused) {
  EXPECT_THAT(rv(CounterKdf(CKM_SHA256_HMAC).counter(8), readable_secret(4096)), IsOk());
  CounterKdf two(CKM_SHA256_HMAC);
  two.counter(8).key(readable_secret(4096));
  EXPECT_THAT(rv(two, readable_secret(4064)), IsOk());
  CounterKdf over(CKM_SHA256_HMAC);
  over.counter(8).key(readable_secret(4096));
  EXPECT_THAT(rv(over, readable_secret(4096)), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_THAT(rv(CounterKdf(CKM_SHA256_HMAC).counter().length(8), readable_secret(31)), IsOk());
  EXPECT_THAT(rv(CounterKdf(CKM_SHA256_HMAC).counter().length(8), readable_secret(32)),
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

// 48 and 16 bytes of SHA-256 are three segments: no two keys share one.
TEST_F(CounterKdfs, FurtherKeysComeOfSegmentsOfTheirOwn) {
  for (const bool of_segments : {false, true}) {
    CounterKdf kdf(CKM_SHA256_HMAC);
    kdf.counter(8).length(16, false,
                          of_segments ? CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS
                                      : CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS);
    kdf.key(readable_secret(16, CKK_AES)).key(readable_secret(40));
    const auto key = must(session().derive(kdf, base_, readable_secret(48)));
    const auto bits = of_segments ? 8U * 32 * 5 : 8U * (48 + 16 + 40);
    const auto segment = [&](std::uint8_t counter) {
      return hmac256(secret_, {counter, static_cast<std::uint8_t>(bits >> 8U),
                               static_cast<std::uint8_t>(bits & 0xFFU)});
    };
    const auto joined = [&](std::uint8_t one, std::uint8_t other, std::size_t size) {
      auto out = segment(one);
      const auto more = segment(other);
      out.insert(out.end(), more.begin(), more.end());
      out.resize(size);
      return out;
    };
    EXPECT_EQ(value(key), joined(1, 2, 48));
    EXPECT_EQ(value(kdf.handles()[0]), joined(3, 3, 16));
    EXPECT_EQ(session().number(kdf.handles()[0], CKA_KEY_TYPE), CKK_AES);
    EXPECT_EQ(value(kdf.handles()[1]), joined(4, 5, 40));
  }
}

TEST_F(CounterKdfs, FurtherKeysLiveWhereTheirTemplatesSay) {
  CounterKdf kdf(CKM_SHA256_HMAC);
  kdf.counter().key(readable_secret(32).flag(CKA_TOKEN, true)).key(readable_secret(16));
  kdf.key(readable_secret(24).flag(CKA_TOKEN, true));
  const auto key = must(session().derive(kdf, base_, readable_secret(20)));
  EXPECT_FALSE(session().flag(key, CKA_TOKEN));
  EXPECT_EQ(session().number(kdf.handles()[0], CKA_VALUE_LEN), 32U);
  EXPECT_TRUE(session().flag(kdf.handles()[0], CKA_TOKEN));
  EXPECT_EQ(session().number(kdf.handles()[1], CKA_VALUE_LEN), 16U);
  EXPECT_FALSE(session().flag(kdf.handles()[1], CKA_TOKEN));
  EXPECT_EQ(session().number(kdf.handles()[2], CKA_VALUE_LEN), 24U);
  EXPECT_TRUE(session().flag(kdf.handles()[2], CKA_TOKEN));
}

TEST_F(CounterKdfs, OneKeyThatCannotBeMakesNone) {
  const auto refused = [&](const Attributes& bad, CK_RV answer) {
    for (const bool on_token : {false, true}) {
      CounterKdf kdf(CKM_SHA256_HMAC);
      kdf.counter().key(readable_secret(32).flag(CKA_TOKEN, on_token)).key(bad);
      kdf.key(readable_secret(32));
      const auto before = objects();
      EXPECT_THAT(rv(kdf, readable_secret(32).flag(CKA_TOKEN, on_token)), ReturnsRv(answer));
      EXPECT_EQ(objects(), before);
      // The refused template is marked, and no other handle is touched.
      EXPECT_EQ(kdf.handles()[0], ~0UL);
      EXPECT_EQ(kdf.handles()[1], CK_INVALID_HANDLE);
      EXPECT_EQ(kdf.handles()[2], ~0UL);
    }
  };
  refused({}, CKR_TEMPLATE_INCOMPLETE);
  refused(readable_secret(15), CKR_KEY_SIZE_RANGE);
  refused(readable_secret(33, CKK_AES), CKR_KEY_SIZE_RANGE);
  refused(readable_secret(32, CKK_RSA), CKR_ATTRIBUTE_VALUE_INVALID);
  refused(readable_secret(32).flag(CKA_LOCAL, true), CKR_ATTRIBUTE_READ_ONLY);
  refused(readable_secret(32).number(CKA_VALUE_LEN, 32), CKR_TEMPLATE_INCONSISTENT);
  // The first template at fault is the caller's own.
  CounterKdf kdf(CKM_SHA256_HMAC);
  kdf.counter().key(readable_secret(32));
  EXPECT_THAT(rv(kdf, readable_secret(15)), ReturnsRv(CKR_KEY_SIZE_RANGE));
  EXPECT_EQ(kdf.handles()[0], ~0UL);
}

TEST_F(CounterKdfs, AReadOnlySessionMakesNoneWhereOneBelongsToTheToken) {
  Session reads(token_.functions(), token_.slot(), CKF_SERIAL_SESSION);
  CounterKdf kdf(CKM_SHA256_HMAC);
  kdf.counter().key(readable_secret(32).flag(CKA_TOKEN, true));
  const auto before = objects();
  EXPECT_THAT(reads.derive(kdf, base_, readable_secret(32)).rv, ReturnsRv(CKR_SESSION_READ_ONLY));
  EXPECT_EQ(objects(), before);
}

TEST_F(CounterKdfs, WhatTheBaseKeyDemandsHoldsForEveryKey) {
  auto inner = Attributes().flag(CKA_EXTRACTABLE, false);
  const auto bound = must(session().create(
      secret_key(CKK_GENERIC_SECRET, secret_)
          .flag(CKA_DERIVE, true)
          .bytes(CKA_DERIVE_TEMPLATE,
                 core::ByteView(reinterpret_cast<const std::uint8_t*>(inner.data()),
                                inner.size() * sizeof(CK_ATTRIBUTE)))));
  const auto sized = Attributes().number(CKA_VALUE_LEN, 32);
  CounterKdf bad(CKM_SHA256_HMAC);
  bad.counter().key(readable_secret(32));
  EXPECT_THAT(session().derive(bad, bound, sized).rv, ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  EXPECT_EQ(bad.handles()[0], CK_INVALID_HANDLE);
  CounterKdf good(CKM_SHA256_HMAC);
  good.counter().key(sized);
  must(session().derive(good, bound, sized));
  EXPECT_FALSE(session().flag(good.handles()[0], CKA_EXTRACTABLE));
}

TEST_F(CounterKdfs, A06_TheHistoryOfEachKeyIsThatOfItsParent) {
  const auto sized = Attributes().number(CKA_VALUE_LEN, 32);
  const auto born = must(
      session().generate(CKM_GENERIC_SECRET_KEY_GEN, Attributes(sized).flag(CKA_DERIVE, true)));
  for (const bool is_born : {false, true}) {
    CounterKdf kdf(CKM_SHA256_HMAC);
    kdf.counter().key(sized).key(readable_secret(32));
    const auto key = must(session().derive(kdf, is_born ? born : base_, sized));
    for (const auto made : {key, kdf.handles()[0]}) {
      EXPECT_TRUE(session().flag(made, CKA_SENSITIVE));
      EXPECT_EQ(session().flag(made, CKA_ALWAYS_SENSITIVE), is_born);
      EXPECT_EQ(session().flag(made, CKA_NEVER_EXTRACTABLE), is_born);
    }
    EXPECT_FALSE(session().flag(kdf.handles()[1], CKA_ALWAYS_SENSITIVE));
  }
}

TEST_F(CounterKdfs, EachMacGoesWithKeysOfItsOwnTypes) {
  const auto from = [&](CK_KEY_TYPE type, CK_MECHANISM_TYPE prf) {
    const auto key = base_key(session(), secret_, type);
    return session().derive(CounterKdf(prf).counter(), key, readable_secret(32)).rv;
  };
  EXPECT_THAT(from(CKK_AES, CKM_AES_CMAC), IsOk());
  EXPECT_THAT(from(CKK_SHA256_HMAC, CKM_SHA256_HMAC), IsOk());
  EXPECT_THAT(from(CKK_SHA3_512_HMAC, CKM_SHA3_512_HMAC), IsOk());
  EXPECT_THAT(from(CKK_AES, CKM_SHA256_HMAC), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(from(CKK_GENERIC_SECRET, CKM_AES_CMAC), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(from(CKK_SHA256_HMAC, CKM_SHA384_HMAC), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(from(CKK_HKDF, CKM_SHA256_HMAC), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(from(CKK_GENERIC_SECRET, CKM_SHA256), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_THAT(from(CKK_AES, CKM_AES_GCM), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_THAT(from(CKK_GENERIC_SECRET, CKM_SHA256_HMAC_GENERAL),
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

// A15: AES in CBC or CTR computes CMAC, and so does whoever may sign.
TEST_F(CounterKdfs, A15_AKeyThatSignsOrCiphersDerivesNothing) {
  for (const auto use : {CKA_SIGN, CKA_ENCRYPT, CKA_DECRYPT}) {
    const auto both =
        must(session().create(secret_key(CKK_AES, secret_).flag(use, true).flag(CKA_DERIVE, true)));
    const auto derive = [&](CK_OBJECT_HANDLE key) {
      return session().derive(CounterKdf(CKM_AES_CMAC).counter(), key, readable_secret(32)).rv;
    };
    EXPECT_THAT(derive(both), ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
    const auto copy = session().copy(both, Attributes().flag(use, false));
    if (copy.rv == CKR_OK) {
      EXPECT_THAT(derive(copy.value), ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
    } else {
      EXPECT_THAT(copy.rv, ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
    }
  }
}

TEST_F(CounterKdfs, A13_KeysShorterThan128BitsAreNotDerived) {
  for (CK_ULONG length = 0; length < 16; ++length) {
    EXPECT_THAT(
        rv(CounterKdf(CKM_SHA256_HMAC).counter(), Attributes().number(CKA_VALUE_LEN, length)),
        ReturnsRv(CKR_KEY_SIZE_RANGE));
  }
  EXPECT_THAT(rv(CounterKdf(CKM_SHA256_HMAC).counter(), {}), ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
}

TEST_F(CounterKdfs, A64_ParametersOfTheWrongFormAreRefused) {
  for (const std::size_t size :
       {std::size_t{0}, sizeof(CK_SP800_108_KDF_PARAMS) - 1, sizeof(CK_SP800_108_KDF_PARAMS) + 1}) {
    EXPECT_THAT(
        session()
            .derive({CKM_SP800_108_COUNTER_KDF, core::Bytes(size)}, base_, readable_secret(32))
            .rv,
        ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
  const auto with = [&](const std::function<void(CounterKdf&)>& change) {
    CounterKdf kdf(CKM_SHA256_HMAC);
    kdf.bytes(bytes("label")).length().counter().key(readable_secret(32));
    change(kdf);
    const auto before = objects();
    EXPECT_THAT(rv(kdf), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    EXPECT_EQ(objects(), before);
  };
  with([](auto& kdf) { kdf.params().ulNumberOfDataParams = 0; });
  with([](auto& kdf) { kdf.params().ulNumberOfDataParams = 2; });  // no counter
  with([](auto& kdf) { kdf.params().ulNumberOfDataParams = 65; });
  with([](auto& kdf) { kdf.params().ulNumberOfDataParams = ~0UL; });
  with([](auto& kdf) { kdf.params().ulNumberOfDataParams = ~0UL / sizeof(CK_PRF_DATA_PARAM) + 2; });
  with([](auto& kdf) { kdf.params().pDataParams = nullptr; });
  with([](auto& kdf) { kdf.params().pAdditionalDerivedKeys = nullptr; });
  with([](auto& kdf) { kdf.params().ulAdditionalDerivedKeys = 65; });
  with([](auto& kdf) { kdf.params().ulAdditionalDerivedKeys = ~0UL; });
  with([](auto& kdf) { kdf.last_key().phKey = nullptr; });
  with([](auto& kdf) { kdf.last_key().pTemplate = nullptr; });
  with([](auto& kdf) { kdf.last_key().ulAttributeCount = ~0UL; });
  with([](auto& kdf) { kdf.counter(); });
  with([](auto& kdf) { kdf.length(); });
  with([](auto& kdf) { kdf.field(CK_SP800_108_OPTIONAL_COUNTER, nullptr, 0); });
  with([](auto& kdf) { kdf.field(0, nullptr, 0); });
  with([](auto& kdf) { kdf.field(CK_SP800_108_BYTE_ARRAY, nullptr, 1); });
  with([](auto& kdf) { kdf.last_field().pValue = nullptr; });
  with([](auto& kdf) { --kdf.last_field().ulValueLen; });
  with([](auto& kdf) { ++kdf.last_field().ulValueLen; });
  with([](auto& kdf) { kdf.bytes(core::Bytes(1UL << 16)); });  // with the label too much
  for (const CK_ULONG bits : {0UL, 7UL, 12UL, 40UL, ~0UL}) {
    EXPECT_THAT(rv(CounterKdf(CKM_SHA256_HMAC).counter(bits)),
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
  for (const CK_ULONG bits : {0UL, 63UL, 72UL, ~0UL}) {
    EXPECT_THAT(rv(CounterKdf(CKM_SHA256_HMAC).counter().length(bits)),
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
  EXPECT_THAT(rv(CounterKdf(CKM_SHA256_HMAC).counter().length(32, false, 3)),
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  CK_SP800_108_COUNTER_FORMAT odd{2, 32};
  EXPECT_THAT(
      rv(CounterKdf(CKM_SHA256_HMAC).field(CK_SP800_108_ITERATION_VARIABLE, &odd, sizeof odd)),
      ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

}  // namespace
}  // namespace tallystick::test
