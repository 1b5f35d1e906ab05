// RSA keys: made, taken in, read, wrapped.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"

namespace tallystick::test {
namespace {

const Scheme kPkcs1{.hash = "SHA256", .padding = RSA_PKCS1_PADDING};

const std::array<CK_ATTRIBUTE_TYPE, 6> kSecrets = {CKA_PRIVATE_EXPONENT, CKA_PRIME_1,
                                                   CKA_PRIME_2,          CKA_EXPONENT_1,
                                                   CKA_EXPONENT_2,       CKA_COEFFICIENT};

// The template without one of its attributes, or with another value for it.
Attributes without(Attributes& from, CK_ATTRIBUTE_TYPE type) {
  Attributes out;
  for (CK_ULONG i = 0; i < from.size(); ++i) {
    const auto& one = from.data()[i];
    if (one.type == type) continue;
    out.bytes(one.type, {static_cast<const std::uint8_t*>(one.pValue), one.ulValueLen});
  }
  return out;
}
Attributes with(Attributes from, CK_ATTRIBUTE_TYPE type, const core::Bytes& value) {
  return without(from, type).bytes(type, value);
}

class RsaPair : public ::testing::TestWithParam<CK_ULONG> {};
INSTANTIATE_TEST_SUITE_P(Sizes, RsaPair, ::testing::Values(2048, 2056, 3072));

TEST_P(RsaPair, AGeneratedPairSignsForLibcryptoAndSaysWhatItIs) {
  TestToken token;
  auto& session = token.session();
  const auto pair = generate_rsa(session, GetParam());
  const auto size = GetParam() / 8;
  const auto modulus = must(session.get(pair.public_key, CKA_MODULUS));
  EXPECT_EQ(modulus.size(), size);
  EXPECT_EQ(modulus, must(session.get(pair.private_key, CKA_MODULUS)));
  EXPECT_EQ(session.number(pair.public_key, CKA_MODULUS_BITS), GetParam());
  for (const auto half : {pair.public_key, pair.private_key}) {
    EXPECT_EQ(must(session.get(half, CKA_PUBLIC_EXPONENT)), (core::Bytes{1, 0, 1}));
    EXPECT_EQ(session.number(half, CKA_KEY_TYPE), CKK_RSA);
    EXPECT_TRUE(session.flag(half, CKA_LOCAL));
    EXPECT_EQ(session.number(half, CKA_KEY_GEN_MECHANISM), CKM_RSA_PKCS_KEY_PAIR_GEN);
    const auto key = public_key_of(session, half);
    EXPECT_EQ(number_of(key.get(), OSSL_PKEY_PARAM_RSA_N), modulus);
  }
  EXPECT_TRUE(session.flag(pair.private_key, CKA_ALWAYS_SENSITIVE));
  const auto signature = must(session.sign(CKM_SHA256_RSA_PKCS, pair.private_key, bytes("x")));
  EXPECT_EQ(signature.size(), size);
  EXPECT_TRUE(
      verifies(public_key_of(session, pair.public_key).get(), kPkcs1, bytes("x"), signature));
}

TEST(RsaKeys, APairIsThereAfterARestart) {
  TestToken token;
  const auto stored = Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, "kept");
  const auto made = generate_rsa(token.session(), 2048, stored, stored);
  const auto before = must(token.session().sign(CKM_SHA256_RSA_PKCS, made.private_key, bytes("x")));
  token.restart_and_login();
  auto& session = token.session();
  const auto find = [&](CK_OBJECT_CLASS object_class) {
    const auto found =
        session.find(Attributes().number(CKA_CLASS, object_class).text(CKA_LABEL, "kept"));
    EXPECT_EQ(found.size(), 1U);
    return found.at(0);
  };
  // PKCS#1 v1.5 is deterministic: the same key gives the same signature.
  EXPECT_EQ(must(session.sign(CKM_SHA256_RSA_PKCS, find(CKO_PRIVATE_KEY), bytes("x"))), before);
  EXPECT_THAT(session.verify(CKM_SHA256_RSA_PKCS, find(CKO_PUBLIC_KEY), bytes("x"), before),
              IsOk());
}

TEST(RsaKeys, SizesAndExponentsOutOfRangeAreRefused) {
  TestToken token;
  auto& session = token.session();
  const auto rv = [&](const Attributes& public_half) {
    return session.generate_pair(CKM_RSA_PKCS_KEY_PAIR_GEN, public_half, {}).rv;
  };
  EXPECT_THAT(rv({}), ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  for (const CK_ULONG bits :
       {0UL, 512UL, 1024UL, 2040UL, 2047UL, 2049UL, 4097UL, 4104UL, 8192UL, ~0UL}) {
    EXPECT_THAT(rv(Attributes().number(CKA_MODULUS_BITS, bits)),
                ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID))
        << bits;
  }
  for (const auto& exponent : {core::Bytes{}, core::Bytes{0}, core::Bytes{1}, core::Bytes{2},
                               core::Bytes{3}, core::Bytes{17}, core::Bytes{0xFF, 0xFF},
                               core::Bytes{1, 0, 0}, core::Bytes{1, 0, 2}, core::Bytes(9, 0xFF)}) {
    EXPECT_THAT(
        rv(Attributes().number(CKA_MODULUS_BITS, 2048).bytes(CKA_PUBLIC_EXPONENT, exponent)),
        ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID))
        << core::to_hex(exponent);
  }
  EXPECT_THAT(rv(Attributes().bytes(CKA_MODULUS_BITS, core::Bytes(4))),
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  auto parameter = session.generate_pair(Mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN, {1}),
                                         Attributes().number(CKA_MODULUS_BITS, 2048), {});
  EXPECT_THAT(parameter.rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

TEST(RsaKeys, AnotherOddExponentIsUsedAsAsked) {
  TestToken token;
  auto& session = token.session();
  const auto pair = generate_rsa(
      session, 2048, Attributes().bytes(CKA_PUBLIC_EXPONENT, core::Bytes{0, 1, 0, 0, 0, 0x0F}));
  // Leading zeros say nothing.
  EXPECT_EQ(must(session.get(pair.public_key, CKA_PUBLIC_EXPONENT)),
            (core::Bytes{1, 0, 0, 0, 0x0F}));
}

// A19: each private number is refused, beside harmless ones that are given.
TEST(RsaKeys, A19_PrivateNumbersOfASensitiveKeyAreNotRead) {
  TestToken token;
  auto& session = token.session();
  const auto made = generate_rsa(session).private_key;
  const auto imported = must(session.create(private_key(some_rsa_key())));
  for (const auto key : {made, imported}) {
    for (const auto type : kSecrets) {
      EXPECT_THAT(session.get(key, type).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE)) << type;
      core::Bytes secret(512, 0xA5);
      core::Bytes modulus(512, 0);
      std::array<CK_ATTRIBUTE, 2> both = {
          {{type, secret.data(), secret.size()}, {CKA_MODULUS, modulus.data(), modulus.size()}}};
      EXPECT_THAT(session->C_GetAttributeValue(session.handle(), key, both.data(), 2),
                  ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
      EXPECT_EQ(both[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
      EXPECT_EQ(secret, core::Bytes(512, 0xA5));
      EXPECT_EQ(both[1].ulValueLen, 256U);
    }
    // An RSA key has no single value.
    EXPECT_THAT(session.get(key, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
  }
}

TEST(RsaKeys, PrivateNumbersThatMayBeReadAreThoseThatCameIn) {
  TestToken token;
  auto& session = token.session();
  const auto key = must(session.create(
      private_key(some_rsa_key()).flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true)));
  const auto* const rsa = some_rsa_key();
  EXPECT_EQ(must(session.get(key, CKA_PRIVATE_EXPONENT)), number_of(rsa, OSSL_PKEY_PARAM_RSA_D));
  EXPECT_EQ(must(session.get(key, CKA_PRIME_1)), number_of(rsa, OSSL_PKEY_PARAM_RSA_FACTOR1));
  EXPECT_EQ(must(session.get(key, CKA_PRIME_2)), number_of(rsa, OSSL_PKEY_PARAM_RSA_FACTOR2));
  EXPECT_EQ(must(session.get(key, CKA_EXPONENT_1)), number_of(rsa, OSSL_PKEY_PARAM_RSA_EXPONENT1));
  EXPECT_EQ(must(session.get(key, CKA_EXPONENT_2)), number_of(rsa, OSSL_PKEY_PARAM_RSA_EXPONENT2));
  EXPECT_EQ(must(session.get(key, CKA_COEFFICIENT)),
            number_of(rsa, OSSL_PKEY_PARAM_RSA_COEFFICIENT1));
}

// A18: what is secret is not found by its value.
TEST(RsaKeys, A18_AKeyIsNotFoundByItsPrivateNumbers) {
  TestToken token;
  auto& session = token.session();
  must(session.create(private_key(some_rsa_key())));
  const auto* const rsa = some_rsa_key();
  EXPECT_EQ(
      session.find(Attributes().bytes(CKA_MODULUS, number_of(rsa, OSSL_PKEY_PARAM_RSA_N))).size(),
      1U);
  EXPECT_TRUE(
      session.find(Attributes().bytes(CKA_PRIME_1, number_of(rsa, OSSL_PKEY_PARAM_RSA_FACTOR1)))
          .empty());
}

TEST(RsaKeys, WhatFollowsFromTheOtherNumbersMayBeLeftOut) {
  TestToken token;
  auto& session = token.session();
  auto whole = private_key(some_rsa_key()).flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true);
  auto less = without(whole, CKA_EXPONENT_1);
  less = without(less, CKA_EXPONENT_2);
  less = without(less, CKA_COEFFICIENT);
  const auto key = must(session.create(less));
  EXPECT_EQ(must(session.get(key, CKA_COEFFICIENT)),
            number_of(some_rsa_key(), OSSL_PKEY_PARAM_RSA_COEFFICIENT1));
  EXPECT_EQ(must(session.get(key, CKA_EXPONENT_1)),
            number_of(some_rsa_key(), OSSL_PKEY_PARAM_RSA_EXPONENT1));
  EXPECT_EQ(must(session.get(key, CKA_EXPONENT_2)),
            number_of(some_rsa_key(), OSSL_PKEY_PARAM_RSA_EXPONENT2));
  for (const auto type :
       {CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2}) {
    EXPECT_THAT(session.create(without(whole, type)).rv, ReturnsRv(CKR_TEMPLATE_INCOMPLETE))
        << type;
  }
}

TEST(RsaKeys, NumbersMayHaveLeadingZeros) {
  TestToken token;
  auto& session = token.session();
  auto numbers = private_key(some_rsa_key());
  Attributes padded;
  for (CK_ULONG i = 0; i < numbers.size(); ++i) {
    const auto& one = numbers.data()[i];
    core::Bytes value(static_cast<const std::uint8_t*>(one.pValue),
                      static_cast<const std::uint8_t*>(one.pValue) + one.ulValueLen);
    if (one.type != CKA_CLASS && one.type != CKA_KEY_TYPE) value.insert(value.begin(), 2, 0);
    padded.bytes(one.type, value);
  }
  const auto key = must(session.create(padded));
  EXPECT_EQ(must(session.get(key, CKA_MODULUS)), number_of(some_rsa_key(), OSSL_PKEY_PARAM_RSA_N));
  EXPECT_TRUE(verifies(some_rsa_key(), kPkcs1, bytes("x"),
                       must(session.sign(CKM_SHA256_RSA_PKCS, key, bytes("x")))));
}

// A24: each number changed alone, and keys that are weak by their form.
TEST(RsaKeys, A24_InconsistentOrWeakKeysAreNotImported) {
  TestToken token;
  auto& session = token.session();
  auto whole = private_key(some_rsa_key());
  const auto before = session.find({}).size();
  const auto refused = [&](const Attributes& key) {
    EXPECT_THAT(session.create(key).rv, ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  };
  for (CK_ULONG i = 0; i < whole.size(); ++i) {
    const auto& one = whole.data()[i];
    if (one.type == CKA_CLASS || one.type == CKA_KEY_TYPE) continue;
    core::Bytes changed(static_cast<const std::uint8_t*>(one.pValue),
                        static_cast<const std::uint8_t*>(one.pValue) + one.ulValueLen);
    changed[changed.size() / 2] ^= 0x10U;
    refused(with(whole, one.type, changed));
    changed.back() ^= 2U;
    refused(with(whole, one.type, changed));
    refused(with(whole, one.type, {}));
    refused(with(whole, one.type, {0}));
    refused(with(whole, one.type, {1}));
    refused(with(whole, one.type, core::Bytes(513, 0xFF)));
    refused(with(whole, one.type, core::Bytes(1U << 20U, 0xFF)));
  }
  // p and q of another key.
  const auto other = libcrypto_key("RSA-2048");
  refused(with(with(whole, CKA_PRIME_1, number_of(other.get(), OSSL_PKEY_PARAM_RSA_FACTOR1)),
               CKA_PRIME_2, number_of(other.get(), OSSL_PKEY_PARAM_RSA_FACTOR2)));
  // The modulus of another key, good by itself.
  refused(with(whole, CKA_MODULUS, number_of(other.get(), OSSL_PKEY_PARAM_RSA_N)));
  refused(private_key(libcrypto_key("RSA-1024").get()));
  EXPECT_EQ(session.find({}).size(), before);
}

// The sum of two numbers, big-endian.
core::Bytes sum(const core::Bytes& a, const core::Bytes& b) {
  const core::BnPtr first(BN_bin2bn(a.data(), static_cast<int>(a.size()), nullptr));
  const core::BnPtr second(BN_bin2bn(b.data(), static_cast<int>(b.size()), nullptr));
  EXPECT_EQ(BN_add(first.get(), first.get(), second.get()), 1);
  core::Bytes out(static_cast<std::size_t>(BN_num_bytes(first.get())));
  EXPECT_EQ(BN_bn2bin(first.get(), out.data()), static_cast<int>(out.size()));
  return out;
}

// A24: numbers from which the ones that were left out do not follow, and one that is right but for
// a multiple of its prime.
TEST(RsaKeys, A24_NumbersThatHaveNoOthersAreNotImported) {
  TestToken token;
  auto& session = token.session();
  const auto whole = private_key(some_rsa_key());
  const auto refused = [&](const Attributes& key) {
    EXPECT_THAT(session.create(key).rv, ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  };
  for (const auto& [prime, exponent] :
       {std::pair(CKA_PRIME_1, CKA_EXPONENT_1), std::pair(CKA_PRIME_2, CKA_EXPONENT_2)}) {
    auto one = with(whole, prime, {1});
    refused(without(one, exponent));
  }
  const auto p = number_of(some_rsa_key(), OSSL_PKEY_PARAM_RSA_FACTOR1);
  auto twice = with(whole, CKA_PRIME_2, p);
  refused(without(twice, CKA_COEFFICIENT));
  const auto coefficient = number_of(some_rsa_key(), OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
  refused(with(whole, CKA_COEFFICIENT, sum(coefficient, p)));
  EXPECT_THAT(session.create(whole).rv, IsOk());
}

// A60: what would follow from primes of a mebibyte takes minutes to compute.
TEST(RsaKeys, A60_NumbersThatAreLongerThanAnyKeysAreNotComputedWith) {
  TestToken token;
  auto& session = token.session();
  auto longer = private_key(some_rsa_key());
  for (const auto type : {CKA_PRIME_1, CKA_PRIME_2}) {
    longer = with(longer, type, must(session.random(1U << 20U)));
  }
  EXPECT_THAT(session.create(without(longer, CKA_COEFFICIENT)).rv,
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
}

TEST(RsaKeys, A24_WeakPublicKeysAreNotImported) {
  TestToken token;
  auto& session = token.session();
  const auto good = public_key(some_rsa_key());
  must(session.create(good));
  const auto before = session.find({}).size();
  const auto refused = [&](const Attributes& key) {
    EXPECT_THAT(session.create(key).rv, ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  };
  auto modulus = number_of(some_rsa_key(), OSSL_PKEY_PARAM_RSA_N);
  auto even = modulus;
  even.back() ^= 1U;
  refused(with(good, CKA_MODULUS, even));
  // The square of a prime; those of libcrypto have their two highest bits set.
  const auto prime_bytes = number_of(some_rsa_key(), OSSL_PKEY_PARAM_RSA_FACTOR1);
  const core::BnPtr prime(
      BN_bin2bn(prime_bytes.data(), static_cast<int>(prime_bytes.size()), nullptr));
  const core::BnPtr square(BN_new());
  const core::BnCtxPtr work(BN_CTX_new());
  ASSERT_EQ(BN_sqr(square.get(), prime.get(), work.get()), 1);
  core::Bytes squared(256);
  ASSERT_EQ(BN_bn2bin(square.get(), squared.data()), 256);
  refused(with(good, CKA_MODULUS, squared));
  // A factor of 3: the digits of a multiple of 3 that is odd.
  core::Bytes three(256, 0);
  three.front() = 0xC0;
  three.back() = 0x03;
  refused(with(good, CKA_MODULUS, three));
  refused(with(good, CKA_MODULUS, core::Bytes(modulus.begin(), modulus.begin() + 128)));
  core::Bytes large(513, 0xFF);
  refused(with(good, CKA_MODULUS, large));
  for (const auto& exponent : {core::Bytes{}, core::Bytes{0}, core::Bytes{1}, core::Bytes{2},
                               core::Bytes{1, 0, 0}, core::Bytes(33, 0xFF), modulus}) {
    refused(with(good, CKA_PUBLIC_EXPONENT, exponent));
  }
  EXPECT_EQ(session.find({}).size(), before);
}

TEST(RsaKeys, APublicKeyWithExponentThreeIsTakenForVerification) {
  TestToken token;
  auto& session = token.session();
  const core::BnPtr three(BN_new());
  ASSERT_EQ(BN_set_word(three.get(), 3), 1);
  const core::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), three.get()), 1);
  ASSERT_EQ(EVP_PKEY_generate(context.get(), &made), 1);
  const PkeyPtr key(made);
  const auto imported = must(session.create(public_key(key.get())));
  EXPECT_THAT(session.verify(CKM_SHA256_RSA_PKCS, imported, bytes("x"),
                             signed_by(key.get(), kPkcs1, bytes("x"))),
              IsOk());
}

TEST(RsaKeys, AttributesOfOtherKeyTypesAreRefused) {
  TestToken token;
  auto& session = token.session();
  const auto rv = [&](const Attributes& attributes) { return session.create(attributes).rv; };
  EXPECT_THAT(rv(private_key(some_rsa_key()).bytes(CKA_VALUE, core::Bytes(32, 1))),
              ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
  EXPECT_THAT(rv(public_key(some_rsa_key()).bytes(CKA_EC_PARAMS, curve_params("P-256"))),
              ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
  const auto ec = libcrypto_key("P-256");
  EXPECT_THAT(rv(private_key(ec.get()).bytes(CKA_PRIME_1, core::Bytes(128, 3))),
              ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
  EXPECT_THAT(rv(public_key(ec.get()).bytes(CKA_MODULUS, core::Bytes(256, 0xFF))),
              ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
  // A claim about the key that is not true of it.
  EXPECT_THAT(rv(public_key(some_rsa_key()).number(CKA_MODULUS_BITS, 3072)),
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  EXPECT_THAT(rv(public_key(some_rsa_key()).number(CKA_MODULUS_BITS, 2048)), IsOk());
  const auto both = session.generate_pair(
      CKM_RSA_PKCS_KEY_PAIR_GEN,
      Attributes().number(CKA_MODULUS_BITS, 2048).number(CKA_KEY_TYPE, CKK_EC), {});
  EXPECT_THAT(both.rv, ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
}

TEST(RsaKeys, TheNumbersOfAKeyDoNotChange) {
  TestToken token;
  auto& session = token.session();
  const auto key = must(session.create(private_key(some_rsa_key())));
  for (const auto type : {CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_PRIME_1}) {
    const auto change = Attributes().bytes(type, core::Bytes(128, 3));
    EXPECT_THAT(session.set(key, change), ReturnsRv(CKR_ATTRIBUTE_READ_ONLY)) << type;
    EXPECT_THAT(session.copy(key, change).rv, ReturnsRv(CKR_ATTRIBUTE_READ_ONLY)) << type;
  }
  const auto copy = must(session.copy(key, Attributes().text(CKA_LABEL, "copy")));
  EXPECT_TRUE(verifies(some_rsa_key(), kPkcs1, bytes("x"),
                       must(session.sign(CKM_SHA256_RSA_PKCS, copy, bytes("x")))));
}

Attributes unwrapped_rsa() {
  return Attributes()
      .number(CKA_CLASS, CKO_PRIVATE_KEY)
      .number(CKA_KEY_TYPE, CKK_RSA)
      .flag(CKA_SIGN, true);
}

TEST(RsaKeys, APrivateKeyTravelsAsPkcs8UnderAesKeyWrap) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  const auto pair = generate_rsa(session, 2048, {}, Attributes().flag(CKA_EXTRACTABLE, true));
  const auto blob = must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, pair.private_key));
  const auto back = must(session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, unwrapped_rsa()));
  EXPECT_EQ(must(session.get(back, CKA_MODULUS)), must(session.get(pair.public_key, CKA_MODULUS)));
  EXPECT_TRUE(session.flag(back, CKA_SENSITIVE));
  EXPECT_FALSE(session.flag(back, CKA_ALWAYS_SENSITIVE));
  EXPECT_THAT(session.verify(CKM_SHA256_RSA_PKCS, pair.public_key, bytes("x"),
                             must(session.sign(CKM_SHA256_RSA_PKCS, back, bytes("x")))),
              IsOk());
  // What it is, is said by what is inside.
  EXPECT_THAT(
      session
          .unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob,
                  Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY).number(CKA_KEY_TYPE, CKK_EC))
          .rv,
      ReturnsRv(CKR_WRAPPED_KEY_INVALID));
}

// What libcrypto wrote as PKCS#8, wrapped in the token as a secret that may be read.
CK_RV unwrap_pkcs8(Session& session, const core::Bytes& pkcs8, Attributes wanted) {
  const auto kek = generate_aes(session, wraps());
  const auto open = must(session.create(secret_key(CKK_GENERIC_SECRET, pkcs8)
                                            .flag(CKA_SENSITIVE, false)
                                            .flag(CKA_EXTRACTABLE, true)));
  const auto blob = must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, open));
  return session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, std::move(wanted)).rv;
}

TEST(RsaKeys, A24_AWrappedKeyIsCheckedLikeAnImportedOne) {
  TestToken token;
  auto& session = token.session();
  EXPECT_THAT(unwrap_pkcs8(session, to_pkcs8(some_rsa_key()), unwrapped_rsa()), IsOk());
  for (const auto* const size : {"RSA-1024", "RSA-4104"}) {
    EXPECT_THAT(unwrap_pkcs8(session, to_pkcs8(libcrypto_key(size).get()), unwrapped_rsa()),
                ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  }
  auto damaged = to_pkcs8(some_rsa_key());
  damaged[damaged.size() / 2] ^= 1U;
  EXPECT_THAT(unwrap_pkcs8(session, damaged, unwrapped_rsa()), ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  // Three primes.
  const core::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_keygen_primes(context.get(), 3), 1);
  ASSERT_EQ(EVP_PKEY_generate(context.get(), &made), 1);
  const PkeyPtr three_primes(made);
  EXPECT_THAT(unwrap_pkcs8(session, to_pkcs8(three_primes.get()), unwrapped_rsa()),
              ReturnsRv(CKR_WRAPPED_KEY_INVALID));
}

TEST(RsaKeys, A10_AKeyThatIsForPssAloneDoesNotBecomeOneForEverything) {
  TestToken token;
  const core::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr));
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048), 1);
  ASSERT_EQ(EVP_PKEY_generate(context.get(), &made), 1);
  const PkeyPtr key(made);
  EXPECT_THAT(unwrap_pkcs8(token.session(), to_pkcs8(key.get()), unwrapped_rsa()),
              ReturnsRv(CKR_WRAPPED_KEY_INVALID));
}

// A12: what an RSA key is worth counts on both sides.
TEST(RsaKeys, A12_AnRsaKeyLeavesOnlyUnderAKeyThatIsAsStrong) {
  TestToken token;
  auto& session = token.session();
  const auto rsa = generate_rsa(session, 3072, {}, Attributes().flag(CKA_EXTRACTABLE, true));
  const auto kek = generate_aes(session, wraps(), 16);
  EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, rsa.private_key).rv, IsOk());
  const auto p384 =
      generate_ec(session, core::Curve::kP384, {}, Attributes().flag(CKA_EXTRACTABLE, true));
  EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, p384.private_key).rv,
              ReturnsRv(CKR_WRAPPING_KEY_SIZE_RANGE));
}

}  // namespace
}  // namespace tallystick::test
