// Keys of ML-KEM, ML-DSA and SLH-DSA: which of them there are, making, importing and wrapping them.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/post_quantum.h"

namespace tallystick::test {
namespace {

struct Family {
  const char* of;
  std::vector<CK_MECHANISM_TYPE> mechanisms;
};
std::vector<Family> families() {
  return {{"ML-KEM-768", {CKM_ML_KEM_KEY_PAIR_GEN, CKM_ML_KEM}},
          {"ML-DSA-65",
           {CKM_ML_DSA_KEY_PAIR_GEN, CKM_ML_DSA, CKM_HASH_ML_DSA, CKM_HASH_ML_DSA_SHA224,
            CKM_HASH_ML_DSA_SHA256, CKM_HASH_ML_DSA_SHA384, CKM_HASH_ML_DSA_SHA512,
            CKM_HASH_ML_DSA_SHA3_224, CKM_HASH_ML_DSA_SHA3_256, CKM_HASH_ML_DSA_SHA3_384,
            CKM_HASH_ML_DSA_SHA3_512}},
          {"SLH-DSA-SHA2-128f", {CKM_SLH_DSA_KEY_PAIR_GEN, CKM_SLH_DSA}}};
}

TEST(PostQuantum, TheMechanismsAreThoseThatLibcryptoHas) {
  TestToken token;
  const auto all = token.module().mechanisms(token.slot());
  for (const auto& family : families()) {
    const bool has = libcrypto_has(family.of);
    std::cout << family.of << (has ? " is there\n" : " is not there\n");
    for (const auto type : family.mechanisms) {
      EXPECT_EQ(std::ranges::find(all, type) != all.end(), has) << type;
      CK_MECHANISM_INFO info{};
      EXPECT_THAT(token->C_GetMechanismInfo(token.slot(), type, &info),
                  ReturnsRv(has ? CKR_OK : CKR_MECHANISM_INVALID));
    }
  }
}

TEST(PostQuantum, TheListSaysWhatEachMechanismDoes) {
  TestToken token;
  const auto info = [&](CK_MECHANISM_TYPE type) {
    CK_MECHANISM_INFO out{};
    must(token->C_GetMechanismInfo(token.slot(), type, &out));
    return out;
  };
  if (libcrypto_has("ML-KEM-768")) {
    const auto kem = info(CKM_ML_KEM);
    EXPECT_EQ(kem.flags, CKF_ENCAPSULATE | CKF_DECAPSULATE);
    EXPECT_EQ(kem.ulMinKeySize, 800U);
    EXPECT_EQ(kem.ulMaxKeySize, 1568U);
  }
  if (libcrypto_has("ML-DSA-65")) {
    const auto both = CKF_SIGN | CKF_VERIFY;
    EXPECT_EQ(info(CKM_ML_DSA_KEY_PAIR_GEN).flags, CKF_GENERATE_KEY_PAIR);
    EXPECT_EQ(info(CKM_ML_DSA).flags & both, both);
    EXPECT_EQ(info(CKM_HASH_ML_DSA_SHA256).flags & both, both);
    // No key of ML-DSA is as weak as 224 bits of hash: only what others signed is checked.
    EXPECT_EQ(info(CKM_HASH_ML_DSA_SHA224).flags & both, CKF_VERIFY);
    EXPECT_EQ(info(CKM_ML_DSA).ulMinKeySize, 1312U);
  }
}

// The keys that are used here are of another type: only the mechanism is wrong.
TEST(PostQuantum, WhereLibcryptoHasNoneEachUseSaysThatTheMechanismIsInvalid) {
  TestToken token;
  auto& session = token.session();
  const auto pair = generate_ec(session);
  auto* const v32 = token.module().v32();
  std::size_t absent = 0;
  for (const auto& tested : pq_cases()) {
    if (libcrypto_has(tested.name)) continue;
    ++absent;
    EXPECT_THAT(session
                    .generate_pair(tested.pair,
                                   Attributes().number(CKA_PARAMETER_SET, tested.parameter_set), {})
                    .rv,
                ReturnsRv(CKR_MECHANISM_INVALID));
    EXPECT_THAT(session
                    .create(pq_object(tested, CKO_PUBLIC_KEY)
                                .bytes(CKA_VALUE, core::Bytes(tested.public_size, 1)))
                    .rv,
                ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
    EXPECT_THAT(session
                    .create(pq_object(tested, CKO_PRIVATE_KEY)
                                .bytes(CKA_VALUE, core::Bytes(tested.private_size, 1)))
                    .rv,
                ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  }
  std::cout
      << absent << " of " << pq_cases().size()
      << " parameter sets are not in this libcrypto; the suites of their names have no tests\n";
  for (const auto& family : families()) {
    if (libcrypto_has(family.of)) continue;
    for (const auto type : family.mechanisms) {
      Mechanism mechanism(type);
      EXPECT_THAT(session->C_SignInit(session.handle(), mechanism.get(), pair.private_key),
                  ReturnsRv(CKR_MECHANISM_INVALID));
      EXPECT_THAT(session->C_VerifyInit(session.handle(), mechanism.get(), pair.public_key),
                  ReturnsRv(CKR_MECHANISM_INVALID));
      CK_BYTE byte = 0;
      CK_ULONG size = 1;
      CK_OBJECT_HANDLE key = 77;
      EXPECT_THAT(v32->C_EncapsulateKey(session.handle(), mechanism.get(), pair.public_key, nullptr,
                                        0, &byte, &size, &key),
                  ReturnsRv(CKR_MECHANISM_INVALID));
      EXPECT_THAT(v32->C_DecapsulateKey(session.handle(), mechanism.get(), pair.private_key,
                                        nullptr, 0, &byte, 1, &key),
                  ReturnsRv(CKR_MECHANISM_INVALID));
      EXPECT_EQ(key, 77U);
    }
  }
}

TEST(PostQuantum, EverySetThatLibcryptoHasMakesPairsThatWork) {
  TestToken token;
  auto& session = token.session();
  for (const auto& tested : pq_cases()) {
    if (!libcrypto_has(tested.name)) continue;
    const auto pair = generate_pq(session, tested);
    EXPECT_EQ(must(session.get(pair.public_key, CKA_VALUE)).size(), tested.public_size);
    const auto theirs = public_key_of(session, pair.private_key);
    EXPECT_EQ(EVP_PKEY_is_a(theirs.get(), tested.name), 1) << tested.name;
    if (tested.key_type == CKK_ML_KEM) continue;
    const auto signature = must(session.sign(tested.use, pair.private_key, bytes("x")));
    EXPECT_EQ(signature.size(), tested.result_size) << tested.name;
    EXPECT_TRUE(libcrypto_pq_verifies(theirs.get(), {}, bytes("x"), signature)) << tested.name;
  }
}

Attributes readable() {
  return Attributes().flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true);
}

class PqKeys : public ::testing::TestWithParam<PqCase> {
 protected:
  const PqCase& tested() const { return GetParam(); }
  Session& session() { return token_.session(); }
  bool kem() const { return tested().key_type == CKK_ML_KEM; }
  Attributes private_object() const { return pq_object(tested(), CKO_PRIVATE_KEY); }
  // Whether the halves are of one key, by using both.
  void expect_pair(CK_OBJECT_HANDLE public_key, CK_OBJECT_HANDLE private_key) {
    if (!kem()) {
      const auto signature = must(session().sign(tested().use, private_key, bytes("x")));
      EXPECT_EQ(signature.size(), tested().result_size);
      EXPECT_THAT(session().verify(tested().use, public_key, bytes("x"), signature), IsOk());
      return;
    }
    const auto made = must(encapsulate(token_.module(), session(), public_key, readable_secret()));
    const auto back = must(
        decapsulate(token_.module(), session(), private_key, made.ciphertext, readable_secret()));
    EXPECT_EQ(must(session().get(made.key, CKA_VALUE)), must(session().get(back, CKA_VALUE)));
  }
  CK_RV import(const Attributes& more) {
    return session().create(private_object().append(more)).rv;
  }
  TestToken token_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PqKeys);
INSTANTIATE_TEST_SUITE_P(Each, PqKeys,
                         ::testing::ValuesIn(pq_at_hand(
                             {"ML-KEM-512", "ML-KEM-768", "ML-KEM-1024", "ML-DSA-44", "ML-DSA-65",
                              "ML-DSA-87", "SLH-DSA-SHA2-128f", "SLH-DSA-SHAKE-256s"})),
                         [](const auto& one) { return test_name(one.param); });

TEST_P(PqKeys, AGeneratedPairSaysWhatItIsAndIsThereAfterARestart) {
  const auto stored = Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, "kept");
  const auto pair = generate_pq(session(), tested(), stored, stored);
  for (const auto half : {pair.public_key, pair.private_key}) {
    EXPECT_EQ(session().number(half, CKA_KEY_TYPE), tested().key_type);
    EXPECT_EQ(session().number(half, CKA_PARAMETER_SET), tested().parameter_set);
    EXPECT_EQ(session().number(half, CKA_KEY_GEN_MECHANISM), tested().pair);
    EXPECT_TRUE(session().flag(half, CKA_LOCAL));
  }
  EXPECT_EQ(session().flag(pair.public_key, CKA_ENCAPSULATE), kem());
  EXPECT_EQ(session().flag(pair.private_key, CKA_DECAPSULATE), kem());
  EXPECT_EQ(session().flag(pair.public_key, CKA_VERIFY), !kem());
  EXPECT_EQ(session().flag(pair.private_key, CKA_SIGN), !kem());
  const auto value = must(session().get(pair.public_key, CKA_VALUE));
  EXPECT_EQ(value.size(), tested().public_size);
  for (const auto half : {pair.public_key, pair.private_key}) {
    const auto theirs = public_key_of(session(), half);
    EXPECT_EQ(EVP_PKEY_is_a(theirs.get(), tested().name), 1);
    EXPECT_EQ(pq_part(theirs.get(), "pub"), value);
  }
  EXPECT_THAT(session().get(pair.private_key, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
  EXPECT_THAT(
      session().get(pair.private_key, CKA_SEED).rv,
      ReturnsRv(tested().seed_size > 0 ? CKR_ATTRIBUTE_SENSITIVE : CKR_ATTRIBUTE_TYPE_INVALID));
  expect_pair(pair.public_key, pair.private_key);

  token_.restart_and_login();
  const auto again = [&](CK_OBJECT_CLASS object_class) {
    const auto found = session().find(
        Attributes().number(CKA_CLASS, object_class).number(CKA_KEY_TYPE, tested().key_type));
    EXPECT_EQ(found.size(), 1U);
    return found.at(0);
  };
  expect_pair(again(CKO_PUBLIC_KEY), again(CKO_PRIVATE_KEY));
}

TEST_P(PqKeys, APrivateKeyIsTakenByItsSeedByItsValueOrByBoth) {
  const auto own = libcrypto_key(tested().name);
  const auto value = pq_part(own.get(), "priv");
  EXPECT_EQ(value.size(), tested().private_size);
  const auto public_half = must(session().create(
      pq_object(tested(), CKO_PUBLIC_KEY).bytes(CKA_VALUE, pq_part(own.get(), "pub"))));
  std::vector<Attributes> forms = {Attributes().bytes(CKA_VALUE, value)};
  core::Bytes seed;
  if (tested().seed_size > 0) {
    seed = pq_part(own.get(), "seed");
    EXPECT_EQ(seed.size(), tested().seed_size);
    forms.push_back(Attributes().bytes(CKA_SEED, seed));
    forms.push_back(Attributes().bytes(CKA_SEED, seed).bytes(CKA_VALUE, value));
  }
  for (const auto& form : forms) {
    const bool knows_seed = &form != forms.data() && !seed.empty();
    const auto key = must(session().create(private_object().append(form).append(readable())));
    EXPECT_EQ(must(session().get(key, CKA_VALUE)), value);
    if (!seed.empty()) {
      EXPECT_EQ(must(session().get(key, CKA_SEED)), knows_seed ? seed : core::Bytes{});
    }
    expect_pair(public_half, key);
  }
}

TEST_P(PqKeys, PartsThatAreNotOfOneKeyAreRefused) {
  const auto own = libcrypto_key(tested().name);
  const auto other = libcrypto_key(tested().name);
  const auto value = pq_part(own.get(), "priv");
  // The public half inside, or the hash of it; the first bytes of all are random and fit any key.
  auto damaged = value;
  damaged[kem()                             ? damaged.size() - 33
          : tested().key_type == CKK_ML_DSA ? 70
                                            : damaged.size() - 1] ^= 1U;
  EXPECT_THAT(import(Attributes().bytes(CKA_VALUE, damaged)),
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  for (const std::size_t size : {1UL, value.size() - 1, value.size() + 1, 100000UL}) {
    auto wrong = value;
    wrong.resize(size);
    EXPECT_THAT(import(Attributes().bytes(CKA_VALUE, wrong)),
                ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  }
  EXPECT_THAT(import({}), ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  if (tested().seed_size == 0) {
    EXPECT_THAT(import(Attributes().bytes(CKA_VALUE, value).bytes(CKA_SEED, core::Bytes(32, 1))),
                ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
    return;
  }
  const auto seed = pq_part(own.get(), "seed");
  EXPECT_THAT(
      import(Attributes().bytes(CKA_SEED, pq_part(other.get(), "seed")).bytes(CKA_VALUE, value)),
      ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  for (const std::size_t size : {1UL, seed.size() - 1, seed.size() + 1}) {
    auto wrong = seed;
    wrong.resize(size);
    EXPECT_THAT(import(Attributes().bytes(CKA_SEED, wrong)),
                ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
    EXPECT_THAT(import(Attributes().bytes(CKA_SEED, wrong).bytes(CKA_VALUE, value)),
                ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  }
}

TEST_P(PqKeys, TheParameterSetIsNeededAndMustBeOneOfTheType) {
  EXPECT_THAT(session().generate_pair(tested().pair, {}, {}).rv,
              ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  for (const CK_ULONG number : {0UL, 13UL, ~0UL}) {
    EXPECT_THAT(
        session()
            .generate_pair(tested().pair, Attributes().number(CKA_PARAMETER_SET, number), {})
            .rv,
        ReturnsRv(CKR_PARAMETER_SET_NOT_SUPPORTED));
  }
  EXPECT_THAT(session()
                  .generate_pair(tested().pair,
                                 Attributes().bytes(CKA_PARAMETER_SET, core::Bytes(3, 1)), {})
                  .rv,
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  // The private half's template may say it; the two must not differ.
  const auto said = Attributes().number(CKA_PARAMETER_SET, tested().parameter_set);
  must(session().generate_pair(tested().pair, {}, said));
  const auto other = Attributes().number(CKA_PARAMETER_SET, tested().parameter_set == 1 ? 2 : 1);
  EXPECT_THAT(session().generate_pair(tested().pair, said, other).rv,
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));

  const auto own = libcrypto_key(tested().name);
  const auto value = pq_part(own.get(), "pub");
  const auto import_public = [&](const Attributes& more, const core::Bytes& point) {
    return session()
        .create(Attributes()
                    .number(CKA_CLASS, CKO_PUBLIC_KEY)
                    .number(CKA_KEY_TYPE, tested().key_type)
                    .bytes(CKA_VALUE, point)
                    .append(more))
        .rv;
  };
  EXPECT_THAT(import_public({}, value), ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(session().create(pq_object(tested(), CKO_PUBLIC_KEY)).rv,
              ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(import_public(said, value), IsOk());
  for (const std::size_t size : {0UL, 1UL, value.size() - 1, value.size() + 1}) {
    auto wrong = value;
    wrong.resize(size);
    EXPECT_THAT(import_public(said, wrong), ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  }
}

TEST_P(PqKeys, APrivateKeyTravelsAsPkcs8WithItsSeed) {
  const auto kek =
      generate_aes(session(), Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  const auto pair = generate_pq(session(), tested(), {}, Attributes().flag(CKA_EXTRACTABLE, true));
  const auto blob = must(session().wrap(CKM_AES_KEY_WRAP_KWP, kek, pair.private_key));
  const auto wanted = [](CK_KEY_TYPE type) {
    return Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY).number(CKA_KEY_TYPE, type);
  };
  const auto back = must(session().unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob,
                                          wanted(tested().key_type).flag(CKA_EXTRACTABLE, true)));
  EXPECT_EQ(session().number(back, CKA_PARAMETER_SET), tested().parameter_set);
  expect_pair(pair.public_key, back);
  // The same again, seed and all.
  EXPECT_EQ(must(session().wrap(CKM_AES_KEY_WRAP_KWP, kek, back)), blob);
  for (const auto type :
       {CKK_EC, CKK_RSA, tested().key_type == CKK_ML_DSA ? CKK_ML_KEM : CKK_ML_DSA}) {
    EXPECT_THAT(session().unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, wanted(type)).rv,
                ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  }
  EXPECT_THAT(session()
                  .unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob,
                          wanted(tested().key_type)
                              .number(CKA_PARAMETER_SET, tested().parameter_set == 1 ? 2 : 1))
                  .rv,
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
}

// Of keys with a seed libcrypto compares the two when it reads them; of these only a check does.
class PqKeysWithoutASeed : public PqKeys {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PqKeysWithoutASeed);
INSTANTIATE_TEST_SUITE_P(Each, PqKeysWithoutASeed,
                         ::testing::ValuesIn(pq_at_hand({"SLH-DSA-SHA2-128f",
                                                         "SLH-DSA-SHAKE-256s"})),
                         [](const auto& one) { return test_name(one.param); });

TEST_P(PqKeysWithoutASeed, A24_AWrappedKeyIsCheckedLikeAnImportedOne) {
  const auto kek =
      generate_aes(session(), Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  const auto unwrapped = [&](const core::Bytes& pkcs8) {
    const auto open = must(session().create(secret_key(CKK_GENERIC_SECRET, pkcs8)
                                                .flag(CKA_SENSITIVE, false)
                                                .flag(CKA_EXTRACTABLE, true)));
    const auto blob = must(session().wrap(CKM_AES_KEY_WRAP_KWP, kek, open));
    return session().unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, private_object()).rv;
  };
  auto pkcs8 = to_pkcs8(libcrypto_key(tested().name).get());
  EXPECT_THAT(unwrapped(pkcs8), IsOk());
  pkcs8.back() ^= 1U;  // of the public half
  EXPECT_THAT(unwrapped(pkcs8), ReturnsRv(CKR_WRAPPED_KEY_INVALID));
}

TEST_P(PqKeys, A12_AKeyLeavesOnlyUnderOneThatIsAsStrong) {
  const auto pair = generate_pq(session(), tested(), {}, Attributes().flag(CKA_EXTRACTABLE, true));
  for (const CK_ULONG length : {16UL, 24UL, 32UL}) {
    const auto kek = generate_aes(session(), Attributes().flag(CKA_WRAP, true), length);
    EXPECT_THAT(session().wrap(CKM_AES_KEY_WRAP_KWP, kek, pair.private_key).rv,
                ReturnsRv(length * 8 < tested().strength ? CKR_WRAPPING_KEY_SIZE_RANGE : CKR_OK));
  }
}

TEST_P(PqKeys, UsesAreOnlyGivenUpLater) {
  const auto pair = generate_pq(session(), tested());
  const auto use_of_public = kem() ? CKA_ENCAPSULATE : CKA_VERIFY;
  const auto other_use = kem() ? CKA_VERIFY : CKA_ENCAPSULATE;
  EXPECT_THAT(session().set(pair.public_key, Attributes().flag(other_use, true)),
              ReturnsRv(CKR_ATTRIBUTE_READ_ONLY));
  must(session().set(pair.public_key, Attributes().flag(use_of_public, false)));
  EXPECT_THAT(session().set(pair.public_key, Attributes().flag(use_of_public, true)),
              ReturnsRv(CKR_ATTRIBUTE_READ_ONLY));
  if (kem()) {
    EXPECT_THAT(encapsulate(token_.module(), session(), pair.public_key, {}).rv,
                ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  } else {
    EXPECT_THAT(session().verify(tested().use, pair.public_key, bytes("x"),
                                 core::Bytes(tested().result_size)),
                ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  }
}

}  // namespace
}  // namespace tallystick::test
