// ML-DSA, HashML-DSA and SLH-DSA.
#include <gtest/gtest.h>

#include <array>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/post_quantum.h"

namespace tallystick::test {
namespace {

class PqSignatures : public ::testing::TestWithParam<PqCase> {
 protected:
  const PqCase& tested() const { return GetParam(); }
  Session& session() { return token_.session(); }
  void SetUp() override {
    own_ = libcrypto_key(tested().name);
    private_key_ = must(session().create(
        pq_object(tested(), CKO_PRIVATE_KEY).bytes(CKA_VALUE, pq_part(own_.get(), "priv"))));
    public_key_ = must(session().create(
        pq_object(tested(), CKO_PUBLIC_KEY).bytes(CKA_VALUE, pq_part(own_.get(), "pub"))));
  }
  CK_RV sign_start(Mechanism& mechanism) {
    return session()->C_SignInit(session().handle(), mechanism.get(), private_key_);
  }
  CK_RV verify_start(Mechanism& mechanism) {
    return session()->C_VerifyInit(session().handle(), mechanism.get(), public_key_);
  }
  TestToken token_;
  PkeyPtr own_;
  CK_OBJECT_HANDLE private_key_ = 0;
  CK_OBJECT_HANDLE public_key_ = 0;
};
// The slow sets of SLH-DSA differ from the fast ones in their numbers alone; one of them is here.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PqSignatures);
INSTANTIATE_TEST_SUITE_P(Each, PqSignatures,
                         ::testing::ValuesIn(pq_at_hand({"ML-DSA-44", "ML-DSA-65", "ML-DSA-87",
                                                         "SLH-DSA-SHA2-128s",
                                                         "SLH-DSA-SHAKE-192f"})),
                         [](const auto& one) { return test_name(one.param); });

TEST_P(PqSignatures, LibcryptoAcceptsWhatTheTokenSignsAndTheTokenWhatLibcryptoSigns) {
  for (const auto& message : {bytes(""), bytes("message"), core::Bytes(20000, 0x77)}) {
    const auto made = must(session().sign(tested().use, private_key_, message));
    EXPECT_EQ(made.size(), tested().result_size);
    EXPECT_TRUE(libcrypto_pq_verifies(own_.get(), {}, message, made));
    const auto in_parts = must(session().sign_parts(tested().use, private_key_, message, 4096));
    EXPECT_TRUE(libcrypto_pq_verifies(own_.get(), {}, message, in_parts));
    const auto theirs = libcrypto_pq_sign(own_.get(), {}, message);
    EXPECT_THAT(session().verify(tested().use, public_key_, message, theirs), IsOk());
    EXPECT_THAT(session().verify_parts(tested().use, public_key_, message, theirs, 999), IsOk());
    auto other = message;
    other.push_back(0);
    EXPECT_THAT(session().verify(tested().use, public_key_, other, theirs),
                ReturnsRv(CKR_SIGNATURE_INVALID));
  }
}

TEST_P(PqSignatures, DamagedSignaturesAndThoseOfAnotherLengthAreRefused) {
  const auto made = must(session().sign(tested().use, private_key_, bytes("x")));
  for (const auto at : {std::size_t{0}, made.size() / 2, made.size() - 1}) {
    auto damaged = made;
    damaged[at] ^= 1U;
    EXPECT_THAT(session().verify(tested().use, public_key_, bytes("x"), damaged),
                ReturnsRv(CKR_SIGNATURE_INVALID));
  }
  for (const auto size : {std::size_t{0}, std::size_t{1}, made.size() - 1, made.size() + 1}) {
    auto other_length = made;
    other_length.resize(size);
    EXPECT_THAT(session().verify(tested().use, public_key_, bytes("x"), other_length),
                ReturnsRv(CKR_SIGNATURE_LEN_RANGE));
  }
}

TEST_P(PqSignatures, AContextIsPartOfWhatIsSigned) {
  for (const std::size_t length : {1UL, 255UL}) {
    const core::Bytes context(length, 0x5A);
    SignContext with(tested().use, CKH_HEDGE_PREFERRED, context);
    const auto made = must(pq_sign(session(), with, private_key_, bytes("x")));
    EXPECT_TRUE(libcrypto_pq_verifies(own_.get(), {context}, bytes("x"), made));
    EXPECT_FALSE(libcrypto_pq_verifies(own_.get(), {}, bytes("x"), made));
    EXPECT_THAT(pq_verify(session(), with, public_key_, bytes("x"), made), IsOk());
    auto another = context;
    another[0] ^= 1U;
    SignContext wrong(tested().use, CKH_HEDGE_PREFERRED, another);
    EXPECT_THAT(pq_verify(session(), wrong, public_key_, bytes("x"), made),
                ReturnsRv(CKR_SIGNATURE_INVALID));
    EXPECT_THAT(session().verify(tested().use, public_key_, bytes("x"), made),
                ReturnsRv(CKR_SIGNATURE_INVALID));
  }
  // An empty one is none.
  SignContext empty(tested().use, CKH_HEDGE_PREFERRED);
  const auto made = must(pq_sign(session(), empty, private_key_, bytes("x")));
  EXPECT_THAT(session().verify(tested().use, public_key_, bytes("x"), made), IsOk());
}

TEST_P(PqSignatures, TheHedgeVariantSaysWhetherASignatureIsTheSameAgain) {
  const auto sign = [&](CK_HEDGE_TYPE hedge) {
    SignContext mechanism(tested().use, hedge);
    return must(pq_sign(session(), mechanism, private_key_, bytes("x")));
  };
  const auto fixed = sign(CKH_DETERMINISTIC_REQUIRED);
  EXPECT_EQ(sign(CKH_DETERMINISTIC_REQUIRED), fixed);
  const auto hedged = sign(CKH_HEDGE_REQUIRED);
  EXPECT_NE(hedged, fixed);
  EXPECT_NE(sign(CKH_HEDGE_REQUIRED), hedged);
  EXPECT_NE(sign(CKH_HEDGE_PREFERRED), fixed);
  for (const auto& signature : {fixed, hedged}) {
    // Verification does not look at it.
    SignContext mechanism(tested().use, 99);
    EXPECT_THAT(pq_verify(session(), mechanism, public_key_, bytes("x"), signature), IsOk());
  }
  SignContext unknown(tested().use, 3);
  EXPECT_THAT(sign_start(unknown), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

TEST_P(PqSignatures, ParametersThatAreNoneAreRefused) {
  SignContext mechanism(tested().use, CKH_HEDGE_PREFERRED, core::Bytes(256, 1));
  const auto refuse = [&] {
    EXPECT_THAT(sign_start(mechanism), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    EXPECT_THAT(verify_start(mechanism), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  };
  refuse();
  mechanism.params().ulContextLen = ~0UL;
  refuse();
  mechanism.params().pContext = nullptr;
  mechanism.params().ulContextLen = 1;
  refuse();
  mechanism.params().ulContextLen = 0;
  for (const auto size : {sizeof mechanism.params() - 1, sizeof mechanism.params() + 1, 1UL}) {
    mechanism.get()->ulParameterLen = size;
    refuse();
  }
}

TEST_P(PqSignatures, KeysOfOtherTypesAreRefused) {
  const auto ec = generate_ec(session());
  Mechanism own(tested().use);
  Mechanism ecdsa(CKM_ECDSA_SHA256);
  EXPECT_THAT(session()->C_SignInit(session().handle(), own.get(), ec.private_key),
              ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(sign_start(ecdsa), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(session()->C_SignInit(session().handle(), own.get(), public_key_),
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  Mechanism foreign(tested().key_type == CKK_ML_DSA ? CKM_SLH_DSA : CKM_ML_DSA);
  EXPECT_THAT(sign_start(foreign), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
}

TEST_P(PqSignatures, MessageAfterMessageAndWithTheSignatureFirst) {
  auto* const v32 = token_.module().v32();
  const auto s = session().handle();
  Mechanism mechanism(tested().use);
  core::Bytes out(tested().result_size);
  must(v32->C_MessageSignInit(s, mechanism.get(), private_key_));
  auto message = bytes("message");
  CK_ULONG size = out.size();
  must(v32->C_SignMessage(s, nullptr, 0, message.data(), message.size(), out.data(), &size));
  EXPECT_TRUE(libcrypto_pq_verifies(own_.get(), {}, message, out));
  must(v32->C_MessageSignFinal(s));
  must(v32->C_VerifySignatureInit(s, mechanism.get(), public_key_, out.data(), out.size()));
  must(v32->C_VerifySignatureUpdate(s, message.data(), 3));
  must(v32->C_VerifySignatureUpdate(s, message.data() + 3, message.size() - 3));
  EXPECT_THAT(v32->C_VerifySignatureFinal(s), IsOk());
}

// ---- HashML-DSA ----

struct HashOfMlDsa {
  const char* name;  // of kHashCases
  CK_MECHANISM_TYPE type;
  std::uint8_t arc;  // 2.16.840.1.101.3.4.2.arc
};
constexpr auto kHashes = std::to_array<HashOfMlDsa>({{"SHA-224", CKM_HASH_ML_DSA_SHA224, 4},
                                                     {"SHA-256", CKM_HASH_ML_DSA_SHA256, 1},
                                                     {"SHA-384", CKM_HASH_ML_DSA_SHA384, 2},
                                                     {"SHA-512", CKM_HASH_ML_DSA_SHA512, 3},
                                                     {"SHA3-224", CKM_HASH_ML_DSA_SHA3_224, 7},
                                                     {"SHA3-256", CKM_HASH_ML_DSA_SHA3_256, 8},
                                                     {"SHA3-384", CKM_HASH_ML_DSA_SHA3_384, 9},
                                                     {"SHA3-512", CKM_HASH_ML_DSA_SHA3_512, 10}});

// FIPS 204, algorithm 4, line 23.
core::Bytes encoded(std::uint8_t arc, const core::Bytes& context, const core::Bytes& digest) {
  core::Bytes out{1, static_cast<std::uint8_t>(context.size())};
  out.insert(out.end(), context.begin(), context.end());
  constexpr auto kHashAlgorithms =
      std::to_array<std::uint8_t>({0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02});
  out.insert(out.end(), kHashAlgorithms.begin(), kHashAlgorithms.end());
  out.push_back(arc);
  out.insert(out.end(), digest.begin(), digest.end());
  return out;
}

class HashMlDsa : public PqSignatures {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(HashMlDsa);
INSTANTIATE_TEST_SUITE_P(Each, HashMlDsa,
                         ::testing::ValuesIn(pq_at_hand({"ML-DSA-44", "ML-DSA-65", "ML-DSA-87"})),
                         [](const auto& one) { return test_name(one.param); });

TEST_P(HashMlDsa, SignaturesAreThoseOfTheStandardWithEachHash) {
  const auto message = core::Bytes(3000, 0x42);
  for (const auto& hash : kHashes) {
    const auto& numbers = *hash_case(hash.name);
    const bool strong = numbers.size * 4 >= tested().strength;
    const auto digest = must(session().digest(numbers.digest, message));
    for (const auto& context : {core::Bytes{}, core::Bytes(255, 9)}) {
      SignContext hashing(hash.type, CKH_HEDGE_PREFERRED, context);
      HashSignContext given(numbers.digest, CKH_HEDGE_REQUIRED, context);
      const auto what = encoded(hash.arc, context, digest);
      const auto theirs = libcrypto_pq_sign(own_.get(), {{}, true}, what);
      EXPECT_THAT(pq_verify(session(), hashing, public_key_, message, theirs), IsOk());
      EXPECT_THAT(pq_verify(session(), given, public_key_, digest, theirs), IsOk());
      auto other = message;
      other[0] ^= 1U;
      EXPECT_THAT(pq_verify(session(), hashing, public_key_, other, theirs),
                  ReturnsRv(CKR_SIGNATURE_INVALID));
      // Weaker hashes are checked and not made: FIPS 204, section 5.4.
      if (!strong) {
        EXPECT_THAT(sign_start(given), ReturnsRv(CKR_KEY_SIZE_RANGE)) << hash.name;
        EXPECT_THAT(sign_start(hashing),
                    ReturnsRv(numbers.size < 32 ? CKR_MECHANISM_INVALID : CKR_KEY_SIZE_RANGE));
        continue;
      }
      const auto made = must(pq_sign(session(), hashing, private_key_, message));
      EXPECT_TRUE(libcrypto_pq_verifies(own_.get(), {{}, true}, what, made)) << hash.name;
      const auto of_digest = must(pq_sign(session(), given, private_key_, digest));
      EXPECT_TRUE(libcrypto_pq_verifies(own_.get(), {{}, true}, what, of_digest)) << hash.name;
    }
  }
}

TEST_P(HashMlDsa, InPartsAndDeterministicTheSignatureIsTheSame) {
  const auto message = core::Bytes(3000, 0x42);
  SignContext fixed(CKM_HASH_ML_DSA_SHA512, CKH_DETERMINISTIC_REQUIRED);
  HashSignContext of_digest(CKM_SHA512, CKH_DETERMINISTIC_REQUIRED);
  const auto made = must(pq_sign(session(), fixed, private_key_, message));
  const auto digest = must(session().digest(CKM_SHA512, message));
  EXPECT_EQ(must(pq_sign(session(), of_digest, private_key_, digest)), made);
  EXPECT_THAT(session().verify_parts(CKM_HASH_ML_DSA_SHA512, public_key_, message, made, 777),
              IsOk());
  // Not what the pure mechanism signs, of the message or of what is signed.
  EXPECT_THAT(session().verify(CKM_ML_DSA, public_key_, message, made),
              ReturnsRv(CKR_SIGNATURE_INVALID));
  EXPECT_THAT(session().verify(CKM_ML_DSA, public_key_, encoded(3, {}, digest), made),
              ReturnsRv(CKR_SIGNATURE_INVALID));
}

TEST_P(HashMlDsa, AGivenHashHasItsLengthAndComesInOnePiece) {
  HashSignContext given(CKM_SHA512, CKH_HEDGE_PREFERRED);
  for (const std::size_t size : {0UL, 32UL, 63UL, 65UL, 3000UL}) {
    EXPECT_THAT(pq_sign(session(), given, private_key_, core::Bytes(size)).rv,
                ReturnsRv(CKR_DATA_LEN_RANGE));
    EXPECT_THAT(pq_verify(session(), given, public_key_, core::Bytes(size),
                          core::Bytes(tested().result_size)),
                ReturnsRv(CKR_DATA_LEN_RANGE));
  }
  ASSERT_THAT(sign_start(given), IsOk());
  core::Bytes part(64);
  EXPECT_THAT(session()->C_SignUpdate(session().handle(), part.data(), part.size()),
              ReturnsRv(CKR_FUNCTION_NOT_SUPPORTED));
  // The hash must be said, and be one of those there are.
  Mechanism none(CKM_HASH_ML_DSA);
  EXPECT_THAT(sign_start(none), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  for (const CK_MECHANISM_TYPE hash : {CKM_SHA_1, CKM_MD5, CKM_SHA512_256, CKM_AES_GCM, ~0UL}) {
    HashSignContext wrong(hash, CKH_HEDGE_PREFERRED);
    EXPECT_THAT(sign_start(wrong), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    EXPECT_THAT(verify_start(wrong), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
}

}  // namespace
}  // namespace tallystick::test
