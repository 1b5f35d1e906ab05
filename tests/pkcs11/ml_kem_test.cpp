// C_EncapsulateKey and C_DecapsulateKey with ML-KEM.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/post_quantum.h"

namespace tallystick::test {
namespace {

struct Agreed {
  core::Bytes ciphertext;
  core::Bytes secret;
};
Agreed libcrypto_encapsulate(EVP_PKEY* key) {
  const core::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  Agreed out{core::Bytes(2048), core::Bytes(64)};
  std::size_t ciphertext = out.ciphertext.size();
  std::size_t secret = out.secret.size();
  if (EVP_PKEY_encapsulate_init(context.get(), nullptr) != 1 ||
      EVP_PKEY_encapsulate(context.get(), out.ciphertext.data(), &ciphertext, out.secret.data(),
                           &secret) != 1) {
    throw std::runtime_error("libcrypto: encapsulate");
  }
  out.ciphertext.resize(ciphertext);
  out.secret.resize(secret);
  return out;
}
core::Bytes libcrypto_decapsulate(EVP_PKEY* key, const core::Bytes& ciphertext) {
  const core::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  core::Bytes out(64);
  std::size_t size = out.size();
  if (EVP_PKEY_decapsulate_init(context.get(), nullptr) != 1 ||
      EVP_PKEY_decapsulate(context.get(), out.data(), &size, ciphertext.data(),
                           ciphertext.size()) != 1) {
    throw std::runtime_error("libcrypto: decapsulate");
  }
  out.resize(size);
  return out;
}

class MlKem : public ::testing::TestWithParam<PqCase> {
 protected:
  const PqCase& tested() const { return GetParam(); }
  Session& session() { return token_.session(); }
  void make_pair(const Attributes& more_public = {}, const Attributes& more_private = {}) {
    pair_ = generate_pq(session(), tested(), more_public, more_private);
  }
  Answer<Encapsulation> to(CK_OBJECT_HANDLE key, const Attributes& wanted) {
    return encapsulate(token_.module(), session(), key, wanted);
  }
  Answer<CK_OBJECT_HANDLE> from(CK_OBJECT_HANDLE key, const core::Bytes& ciphertext,
                                const Attributes& wanted) {
    return decapsulate(token_.module(), session(), key, ciphertext, wanted);
  }
  core::Bytes value(CK_OBJECT_HANDLE key) { return must(session().get(key, CKA_VALUE)); }
  std::size_t secrets() {
    return session().find(Attributes().number(CKA_CLASS, CKO_SECRET_KEY)).size();
  }
  TestToken token_;
  KeyPair pair_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MlKem);
INSTANTIATE_TEST_SUITE_P(
    Each, MlKem, ::testing::ValuesIn(pq_at_hand({"ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"})),
    [](const auto& one) { return test_name(one.param); });

TEST_P(MlKem, TheTokenAndLibcryptoAgreeInBothDirections) {
  const auto own = libcrypto_key(tested().name);
  const auto private_half = must(session().create(
      pq_object(tested(), CKO_PRIVATE_KEY).bytes(CKA_SEED, pq_part(own.get(), "seed"))));
  const auto public_half = must(session().create(
      pq_object(tested(), CKO_PUBLIC_KEY).bytes(CKA_VALUE, pq_part(own.get(), "pub"))));
  const auto made = must(to(public_half, readable_secret()));
  EXPECT_EQ(made.ciphertext.size(), tested().result_size);
  EXPECT_EQ(value(made.key).size(), 32U);
  EXPECT_EQ(value(made.key), libcrypto_decapsulate(own.get(), made.ciphertext));
  const auto theirs = libcrypto_encapsulate(own.get());
  EXPECT_EQ(value(must(from(private_half, theirs.ciphertext, readable_secret()))), theirs.secret);
  // Each time another.
  EXPECT_NE(must(to(public_half, readable_secret())).ciphertext, made.ciphertext);
}

TEST_P(MlKem, TheSecretIsSensitiveUnlessTheTemplateSaysOtherwise) {
  make_pair();
  const auto wanted = Attributes().number(CKA_KEY_TYPE, CKK_AES);
  const auto made = must(to(pair_.public_key, wanted));
  const auto back = must(from(pair_.private_key, made.ciphertext, wanted));
  for (const auto key : {made.key, back}) {
    EXPECT_EQ(session().number(key, CKA_CLASS), CKO_SECRET_KEY);
    EXPECT_EQ(session().number(key, CKA_KEY_TYPE), CKK_AES);
    EXPECT_EQ(session().number(key, CKA_VALUE_LEN), 32U);
    EXPECT_TRUE(session().flag(key, CKA_SENSITIVE));
    EXPECT_FALSE(session().flag(key, CKA_EXTRACTABLE));
    for (const auto type : {CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_LOCAL}) {
      EXPECT_FALSE(session().flag(key, type));
    }
    EXPECT_THAT(session().get(key, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
  }
  // The two are one key.
  Gcm one(core::Bytes(12, 1));
  Gcm other(core::Bytes(12, 1));
  const auto sealed = must(session().encrypt(one, made.key, bytes("x")));
  EXPECT_EQ(must(session().decrypt(other, back, sealed)), bytes("x"));
}

TEST_P(MlKem, OnlyAskingForTheLengthMakesNoKey) {
  make_pair();
  auto* const v32 = token_.module().v32();
  Mechanism mechanism(CKM_ML_KEM);
  const auto before = secrets();
  CK_ULONG size = 0;
  CK_OBJECT_HANDLE key = 77;
  EXPECT_THAT(v32->C_EncapsulateKey(session().handle(), mechanism.get(), pair_.public_key, nullptr,
                                    0, nullptr, &size, &key),
              IsOk());
  EXPECT_EQ(size, tested().result_size);
  core::Bytes out(tested().result_size, 0xEE);
  size = out.size() - 1;
  EXPECT_THAT(v32->C_EncapsulateKey(session().handle(), mechanism.get(), pair_.public_key, nullptr,
                                    0, out.data(), &size, &key),
              ReturnsRv(CKR_BUFFER_TOO_SMALL));
  EXPECT_EQ(size, tested().result_size);
  EXPECT_EQ(key, 77U);
  // A template that the new key cannot have: nothing is written.
  size = out.size();
  auto wrong = Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY);
  EXPECT_THAT(v32->C_EncapsulateKey(session().handle(), mechanism.get(), pair_.public_key,
                                    wrong.data(), wrong.size(), out.data(), &size, &key),
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  auto short_key = Attributes().number(CKA_VALUE_LEN, 16);
  EXPECT_THAT(v32->C_EncapsulateKey(session().handle(), mechanism.get(), pair_.public_key,
                                    short_key.data(), short_key.size(), out.data(), &size, &key),
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  EXPECT_EQ(out, core::Bytes(tested().result_size, 0xEE));
  EXPECT_EQ(key, 77U);
  EXPECT_EQ(secrets(), before);
}

TEST_P(MlKem, A60_PointersAndLengthsThatAreNoneAreRefused) {
  make_pair();
  auto* const v32 = token_.module().v32();
  const auto s = session().handle();
  Mechanism mechanism(CKM_ML_KEM);
  core::Bytes out(tested().result_size);
  CK_ULONG size = out.size();
  CK_OBJECT_HANDLE key = 77;
  EXPECT_THAT(
      v32->C_EncapsulateKey(s, nullptr, pair_.public_key, nullptr, 0, out.data(), &size, &key),
      ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v32->C_EncapsulateKey(s, mechanism.get(), pair_.public_key, nullptr, 0, out.data(),
                                    nullptr, &key),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v32->C_EncapsulateKey(s, mechanism.get(), pair_.public_key, nullptr, 0, out.data(),
                                    &size, nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v32->C_EncapsulateKey(s, mechanism.get(), pair_.public_key, nullptr, 1, out.data(),
                                    &size, &key),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v32->C_DecapsulateKey(s, mechanism.get(), pair_.private_key, nullptr, 0, out.data(),
                                    ~0UL, &key),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v32->C_DecapsulateKey(s, mechanism.get(), pair_.private_key, nullptr, ~0UL,
                                    out.data(), out.size(), &key),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v32->C_EncapsulateKey(s, mechanism.get(), 12345, nullptr, 0, out.data(), &size, &key),
              ReturnsRv(CKR_KEY_HANDLE_INVALID));
  EXPECT_THAT(
      v32->C_DecapsulateKey(s, mechanism.get(), 12345, nullptr, 0, out.data(), out.size(), &key),
      ReturnsRv(CKR_UNWRAPPING_KEY_HANDLE_INVALID));
  Mechanism parameter(CKM_ML_KEM, core::Bytes(1));
  EXPECT_THAT(v32->C_EncapsulateKey(s, parameter.get(), pair_.public_key, nullptr, 0, out.data(),
                                    &size, &key),
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_THAT(v32->C_DecapsulateKey(s, parameter.get(), pair_.private_key, nullptr, 0, out.data(),
                                    out.size(), &key),
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_EQ(key, 77U);
}

// An altered ciphertext gives a secret that nobody else has, always the same, and no error.
TEST_P(MlKem, AnAlteredCiphertextGivesAnotherSecret) {
  make_pair();
  const auto made = must(to(pair_.public_key, readable_secret()));
  auto altered = made.ciphertext;
  altered[altered.size() / 2] ^= 1U;
  const auto first = value(must(from(pair_.private_key, altered, readable_secret())));
  EXPECT_NE(first, value(made.key));
  EXPECT_EQ(first, value(must(from(pair_.private_key, altered, readable_secret()))));
  const auto before = secrets();
  for (const std::size_t size :
       {0UL, 1UL, made.ciphertext.size() - 1, made.ciphertext.size() + 1, 2UL << 20}) {
    auto wrong = made.ciphertext;
    wrong.resize(size);
    EXPECT_THAT(from(pair_.private_key, wrong, readable_secret()).rv,
                ReturnsRv(CKR_WRAPPED_KEY_LEN_RANGE));
  }
  EXPECT_EQ(secrets(), before);
}

TEST_P(MlKem, KeysThatAreNotForItAreRefused) {
  make_pair({}, Attributes().flag(CKA_DECAPSULATE, false).flag(CKA_SIGN, true));
  const auto made = must(to(pair_.public_key, {}));
  EXPECT_THAT(from(pair_.private_key, made.ciphertext, {}).rv,
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  // The wrong half has the other use only.
  EXPECT_THAT(to(pair_.private_key, {}).rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  const auto ec = generate_ec(session());
  EXPECT_THAT(to(ec.public_key, {}).rv, ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(from(ec.private_key, made.ciphertext, {}).rv,
              ReturnsRv(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT));
  // Nothing else is done with such a key.
  Mechanism signs(CKM_ML_DSA);
  EXPECT_NE(session()->C_SignInit(session().handle(), signs.get(), pair_.private_key), CKR_OK);
}

TEST_P(MlKem, AKeyThatWantsThePinEachTimeDoesNotDecapsulate) {
  make_pair({}, Attributes().flag(CKA_ALWAYS_AUTHENTICATE, true));
  const auto made = must(to(pair_.public_key, {}));
  EXPECT_THAT(from(pair_.private_key, made.ciphertext, {}).rv, ReturnsRv(CKR_USER_NOT_LOGGED_IN));
}

TEST_P(MlKem, A23_TheTemplatesOfTheKeysAreAddedToTheSecret) {
  auto inner = Attributes().number(CKA_KEY_TYPE, CKK_AES).flag(CKA_SENSITIVE, true);
  const core::ByteView array(reinterpret_cast<const std::uint8_t*>(inner.data()),
                             inner.size() * sizeof(CK_ATTRIBUTE));
  make_pair(Attributes().bytes(CKA_ENCAPSULATE_TEMPLATE, array),
            Attributes().bytes(CKA_DECAPSULATE_TEMPLATE, array));
  const auto made = must(to(pair_.public_key, {}));
  const auto back = must(from(pair_.private_key, made.ciphertext, {}));
  for (const auto key : {made.key, back}) {
    EXPECT_EQ(session().number(key, CKA_KEY_TYPE), CKK_AES);
    EXPECT_TRUE(session().flag(key, CKA_SENSITIVE));
  }
  EXPECT_THAT(to(pair_.public_key, readable_secret()).rv, ReturnsRv(CKR_KEY_HANDLE_INVALID));
  EXPECT_THAT(from(pair_.private_key, made.ciphertext, readable_secret()).rv,
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  // Each half has its own, and neither is changed later.
  EXPECT_THAT(session().set(pair_.public_key, Attributes().bytes(CKA_ENCAPSULATE_TEMPLATE, {})),
              ReturnsRv(CKR_ATTRIBUTE_READ_ONLY));
  EXPECT_THAT(session()
                  .generate_pair(tested().pair,
                                 Attributes()
                                     .number(CKA_PARAMETER_SET, tested().parameter_set)
                                     .bytes(CKA_DECAPSULATE_TEMPLATE, array),
                                 {})
                  .rv,
              ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
}

TEST_P(MlKem, TheSecretMayBeKeptOnTheToken) {
  make_pair();
  const auto stored = readable_secret().flag(CKA_TOKEN, true).text(CKA_LABEL, "kept");
  const auto made = must(to(pair_.public_key, stored));
  const auto before = value(made.key);
  token_.restart_and_login();
  const auto again = session().find(Attributes().text(CKA_LABEL, "kept"));
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(value(again[0]), before);
}

}  // namespace
}  // namespace tallystick::test
