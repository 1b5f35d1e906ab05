// Wrapping between ordinary keys: AES-KWP, and the rules that keep sensitive values inside.
#include <gtest/gtest.h>

#include <random>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

Attributes unwrapped(CK_KEY_TYPE type = CKK_GENERIC_SECRET) {
  return Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, type);
}

TEST(KeyWrap, AWrappedKeyComesBackTheSame) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  const auto key = generate_aes(session, extractable());
  const auto blob = must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, key));
  EXPECT_EQ(blob.size(), 40U);
  const auto back = must(
      session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, unwrapped(CKK_AES).flag(CKA_ENCRYPT, true)));
  Gcm gcm(core::Bytes(12, 1));
  EXPECT_EQ(must(session.encrypt(gcm, key, bytes("x"))),
            must(session.encrypt(gcm, back, bytes("x"))));
  EXPECT_TRUE(session.flag(back, CKA_SENSITIVE));
}

TEST(KeyWrap, AnEcPrivateKeyTravelsAsPkcs8) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  const auto pair = generate_ec(session, core::Curve::kP256, {}, extractable());
  const auto blob = must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, pair.private_key));
  const auto back = must(
      session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob,
                     Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY).number(CKA_KEY_TYPE, CKK_EC)));
  const auto signature = must(session.sign(CKM_ECDSA_SHA256, back, bytes("x")));
  EXPECT_THAT(session.verify(CKM_ECDSA_SHA256, pair.public_key, bytes("x"), signature), IsOk());
}

TEST(WrapRules, AKeyThatIsNotExtractableStays) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, generate_aes(session)).rv,
              ReturnsRv(CKR_KEY_UNEXTRACTABLE));
}

TEST(WrapRules, A01_AKeyThatWrapsAndDecryptsDoesNotWrapASensitiveKey) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session, extractable());
  for (const CK_ATTRIBUTE_TYPE cipher : {CKA_DECRYPT, CKA_ENCRYPT}) {
    const auto kek = session.generate(
        CKM_AES_KEY_GEN,
        Attributes().number(CKA_VALUE_LEN, 32).flag(CKA_WRAP, true).flag(cipher, true));
    if (kek.rv != CKR_OK) continue;  // refusing it at birth is as good
    EXPECT_NE(session.wrap(CKM_AES_KEY_WRAP_KWP, kek.value, key).rv, CKR_OK);
    // Neither does a copy that gave the other use up; the value is the same.
    const auto copy = session.copy(kek.value, Attributes().flag(cipher, false));
    if (copy.rv != CKR_OK) continue;
    EXPECT_NE(session.wrap(CKM_AES_KEY_WRAP_KWP, copy.value, key).rv, CKR_OK)
        << "the original still decrypts what the copy wraps";
  }
}

// The same value twice: one object wraps, the other decrypts.
TEST(WrapRules, A01_A02_AWrappingKeyWithAKnownValueDoesNotWrapASensitiveKey) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session, extractable());
  const auto kek = must(session.create(secret_key(CKK_AES, core::Bytes(32, 1)).append(wraps())));
  EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, key).rv,
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  const auto readable = generate_aes(
      session, Attributes(wraps()).flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true));
  EXPECT_NE(session.wrap(CKM_AES_KEY_WRAP_KWP, readable, key).rv, CKR_OK);
  must(session.set(readable, Attributes().flag(CKA_SENSITIVE, true)));
  EXPECT_NE(session.wrap(CKM_AES_KEY_WRAP_KWP, readable, key).rv, CKR_OK)
      << "it could be read before";
  // What came in by unwrapping is as well known outside.
  const auto inner = generate_aes(session, extractable());
  const auto outer = generate_aes(session, wraps());
  const auto blob = must(session.wrap(CKM_AES_KEY_WRAP_KWP, outer, inner));
  const auto back =
      session.unwrap(CKM_AES_KEY_WRAP_KWP, outer, blob, unwrapped(CKK_AES).flag(CKA_WRAP, true));
  if (back.rv == CKR_OK) {
    EXPECT_NE(session.wrap(CKM_AES_KEY_WRAP_KWP, back.value, key).rv, CKR_OK);
  }
}

TEST(WrapRules, A25_KeysThatWrapOrUnwrapAreNotWrapped) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  for (const CK_ATTRIBUTE_TYPE use : {CKA_WRAP, CKA_UNWRAP}) {
    const auto key = generate_aes(session, extractable().flag(use, true));
    EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, key).rv, ReturnsRv(CKR_KEY_NOT_WRAPPABLE));
  }
  EXPECT_NE(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, kek).rv, CKR_OK);
}

// It would come back as a key that decrypts, and read what its other copies have wrapped.
TEST(WrapRules, A25_AKeyThatGaveWrappingUpIsStillNotWrapped) {
  TestToken token;
  auto& session = token.session();
  const auto outer = generate_aes(session, wraps());
  for (const CK_ATTRIBUTE_TYPE use : {CKA_WRAP, CKA_UNWRAP}) {
    const auto kek = generate_aes(session, extractable().flag(use, true).flag(CKA_SIGN, true));
    const auto copy = must(session.copy(kek, Attributes().flag(use, false)));
    EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, outer, copy).rv,
                ReturnsRv(CKR_KEY_NOT_WRAPPABLE));
    must(session.set(kek, Attributes().flag(use, false)));
    EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, outer, kek).rv,
                ReturnsRv(CKR_KEY_NOT_WRAPPABLE));
  }
}

TEST(WrapRules, A12_AStrongKeyDoesNotLeaveUnderAWeakOne) {
  TestToken token;
  auto& session = token.session();
  for (const CK_ULONG kek_length : {16UL, 24UL, 32UL}) {
    const auto kek = generate_aes(session, wraps(), kek_length);
    for (const CK_ULONG length : {16UL, 24UL, 32UL}) {
      const auto rv =
          session.wrap(CKM_AES_KEY_WRAP_KWP, kek, generate_aes(session, extractable(), length)).rv;
      if (length <= kek_length) {
        EXPECT_THAT(rv, IsOk());
      } else {
        EXPECT_THAT(rv, ReturnsRv(CKR_WRAPPING_KEY_SIZE_RANGE));
      }
    }
    const auto p384 = generate_ec(session, core::Curve::kP384, {}, extractable());
    const auto p256 = generate_ec(session, core::Curve::kP256, {}, extractable());
    EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, p256.private_key).rv, IsOk());
    EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, p384.private_key).rv,
                kek_length >= 24 ? IsOk() : ReturnsRv(CKR_WRAPPING_KEY_SIZE_RANGE));
  }
}

TEST(WrapRules, A11_OnlyAuthenticatedMechanismsWrap) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  const auto key = generate_aes(session, extractable());
  for (const CK_MECHANISM_TYPE type : {CKM_AES_ECB, CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_CTR}) {
    EXPECT_THAT(session.wrap({type, core::Bytes(16, 0)}, kek, key).rv,
                ReturnsRv(CKR_MECHANISM_INVALID));
    EXPECT_THAT(session.unwrap({type, core::Bytes(16, 0)}, kek, core::Bytes(32), unwrapped()).rv,
                ReturnsRv(CKR_MECHANISM_INVALID));
  }
}

TEST(WrapRules, A04_UnwrappedTwiceAKeyDoesNotBecomeReadable) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  const auto blob =
      must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, generate_aes(session, extractable())));
  const auto soft =
      session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob,
                     unwrapped(CKK_AES).flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true));
  EXPECT_NE(soft.rv, CKR_OK);
  const auto plain = must(session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, unwrapped(CKK_AES)));
  EXPECT_TRUE(session.flag(plain, CKA_SENSITIVE));
  EXPECT_FALSE(session.flag(plain, CKA_ALWAYS_SENSITIVE));
  EXPECT_NE(session.get(plain, CKA_VALUE).rv, CKR_OK);
}

TEST(WrapRules, A03_AnUnwrappedKeyIsNotTrusted) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  const auto blob =
      must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, generate_aes(session, extractable())));
  EXPECT_NE(
      session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, unwrapped(CKK_AES).flag(CKA_TRUSTED, true))
          .rv,
      CKR_OK);
  // A key that unwraps does not encrypt a value of the caller's choice into a blob.
  Gcm gcm(core::Bytes(12, 1));
  EXPECT_NE(session.encrypt(gcm, kek, core::Bytes(32, 1)).rv, CKR_OK);
}

TEST(WrapRules, A10_RandomBytesNeverUnwrapIntoAKey) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  const auto before = session.find({}).size();
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    core::Bytes blob(16 + 8 * (random() % 6));
    for (auto& byte : blob) byte = static_cast<std::uint8_t>(random());
    ASSERT_THAT(session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, unwrapped()).rv,
                ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  }
  EXPECT_EQ(session.find({}).size(), before);
}

TEST(WrapRules, A38_EveryFlippedByteOfABlobGivesTheSameError) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  const auto blob =
      must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, generate_aes(session, extractable())));
  for (std::size_t at = 0; at < blob.size(); ++at) {
    auto damaged = blob;
    damaged[at] ^= 1U;
    EXPECT_THAT(session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, damaged, unwrapped(CKK_AES)).rv,
                ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  }
}

TEST(WrapRules, TheWrappingKeyIsForWrapping) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session, extractable());
  const auto none = generate_aes(session);
  EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, none, key).rv,
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  const auto pair = generate_ec(session);
  EXPECT_NE(session.wrap(CKM_AES_KEY_WRAP_KWP, pair.public_key, key).rv, CKR_OK);
  EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, 99999, key).rv,
              ReturnsRv(CKR_WRAPPING_KEY_HANDLE_INVALID));
  EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, none, 99999).rv,
              ::testing::AnyOf(ReturnsRv(CKR_KEY_HANDLE_INVALID),
                               ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED)));
  EXPECT_THAT(session.unwrap(CKM_AES_KEY_WRAP_KWP, 99999, core::Bytes(40), unwrapped()).rv,
              ReturnsRv(CKR_UNWRAPPING_KEY_HANDLE_INVALID));
}

}  // namespace
}  // namespace tallystick::test
