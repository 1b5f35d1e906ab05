// AES-KW and AES-KWP as PKCS#11 has them: as ciphers for data, and what they take as parameter and
// as key. tests/pkcs11/wrap_test.cpp has the rules of wrapping.
#include <gtest/gtest.h>

#include <random>

#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/symmetric.h"

namespace tallystick::test {
namespace {

const core::Bytes kKwIv(8, 0xA6);
const core::Bytes kKwpIv = {0xA6, 0x59, 0x59, 0xA6};

Attributes unwrapped() {
  return Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
}

TEST(KeyWrapData, HasTheMannersOfACipher) {
  TestToken token;
  const auto key = generate_aes(token.session());
  expect_cipher_manners(token, key,
                        [](std::size_t) { return std::make_unique<Mechanism>(CKM_AES_KEY_WRAP); },
                        {16, 24, 32, 1024});
  expect_cipher_manners(
      token, key, [](std::size_t) { return std::make_unique<Mechanism>(CKM_AES_KEY_WRAP_KWP); },
      {1, 7, 8, 9, 16, 17, 1000});
}

TEST(KeyWrapData, A38_EveryFlippedByteGivesTheSameErrorAndNoOutput) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  for (const CK_MECHANISM_TYPE type : {CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP}) {
    Mechanism mechanism(type);
    const auto sealed = must(session.encrypt(mechanism, key, some_bytes(32)));
    for (std::size_t at = 0; at < sealed.size(); ++at) {
      auto damaged = sealed;
      damaged[at] ^= 1U;
      core::Bytes out(64, 0xEE);
      CK_ULONG room = out.size();
      must(token->C_DecryptInit(token.handle(), mechanism.get(), key));
      ASSERT_THAT(
          token->C_Decrypt(token.handle(), damaged.data(), damaged.size(), out.data(), &room),
          ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
      ASSERT_EQ(out, core::Bytes(64, 0xEE));
    }
  }
}

TEST(KeyWrapData, HasTheLengthsOfItsKind) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  Mechanism kw(CKM_AES_KEY_WRAP);
  Mechanism kwp(CKM_AES_KEY_WRAP_KWP);
  for (std::size_t size = 0; size <= 41; ++size) {
    const bool whole = size >= 16 && size % 8 == 0;
    EXPECT_THAT(session.encrypt(kw, key, core::Bytes(size)).rv,
                whole ? IsOk() : ReturnsRv(CKR_DATA_LEN_RANGE))
        << size;
    EXPECT_THAT(session.encrypt_parts(kw, key, core::Bytes(size), 5).rv,
                whole ? IsOk() : ReturnsRv(CKR_DATA_LEN_RANGE));
    EXPECT_THAT(session.encrypt(kwp, key, core::Bytes(size)).rv,
                size > 0 ? IsOk() : ReturnsRv(CKR_DATA_LEN_RANGE));
    EXPECT_THAT(session.decrypt(kw, key, core::Bytes(size)).rv,
                size >= 24 && size % 8 == 0 ? ReturnsRv(CKR_ENCRYPTED_DATA_INVALID)
                                            : ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
    EXPECT_THAT(
        session.decrypt(kwp, key, core::Bytes(size)).rv,
        whole ? ReturnsRv(CKR_ENCRYPTED_DATA_INVALID) : ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
  }
  EXPECT_THAT(session.encrypt(kw, key, core::Bytes(1UL << 20U)).rv, ReturnsRv(CKR_DATA_LEN_RANGE));
  EXPECT_THAT(session.decrypt(kw, key, core::Bytes(1UL << 20U)).rv,
              ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
  EXPECT_THAT(session.encrypt_parts(kw, key, core::Bytes(1UL << 20U), 40000).rv,
              ReturnsRv(CKR_DATA_LEN_RANGE));
}

// Some applications write the IV of the standard out; another one is no IV of this token.
TEST(KeyWrap, TakesNoIvOrTheOneOfTheStandard) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  const auto key = generate_aes(session, extractable());
  const auto cipher = generate_aes(session);
  const std::pair<CK_MECHANISM_TYPE, core::Bytes> kinds[] = {{CKM_AES_KEY_WRAP, kKwIv},
                                                             {CKM_AES_KEY_WRAP_KWP, kKwpIv}};
  for (const auto& [type, iv] : kinds) {
    const auto blob = must(session.wrap(type, kek, key));
    EXPECT_EQ(must(session.wrap({type, iv}, kek, key)), blob);
    EXPECT_THAT(session.unwrap({type, iv}, kek, blob, unwrapped()).rv, IsOk());
    Mechanism plain(type);
    Mechanism written(type, iv);
    EXPECT_EQ(must(session.encrypt(plain, cipher, core::Bytes(16))),
              must(session.encrypt(written, cipher, core::Bytes(16))));
    for (std::size_t size = 1; size <= 17; ++size) {
      for (const auto fill : {0x00, 0xA6}) {
        const core::Bytes other(size, static_cast<std::uint8_t>(fill));
        if (other == iv) continue;
        Mechanism mechanism(type, other);
        const auto refused = ReturnsRv(CKR_MECHANISM_PARAM_INVALID);
        EXPECT_THAT(session.wrap(mechanism, kek, key).rv, refused);
        EXPECT_THAT(session.unwrap(mechanism, kek, blob, unwrapped()).rv, refused);
        EXPECT_THAT(session.encrypt(mechanism, cipher, core::Bytes(16)).rv, refused);
        EXPECT_THAT(session.decrypt(mechanism, cipher, core::Bytes(24)).rv, refused);
      }
    }
  }
}

TEST(KeyWrap, KwTakesKeysOfWholeBlocksAndKwpAny) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  for (const std::size_t size : {1UL, 8UL, 15UL, 16UL, 20UL, 24UL, 32UL, 33UL, 64UL}) {
    // One that may be read, so that the wrapping key's strength does not matter.
    const auto key = must(session.create(secret_key(CKK_GENERIC_SECRET, some_bytes(size))
                                             .append(extractable())
                                             .flag(CKA_SENSITIVE, false)));
    const bool whole = size >= 16 && size % 8 == 0;
    EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP, kek, key).rv,
                whole ? IsOk() : ReturnsRv(CKR_KEY_SIZE_RANGE))
        << size;
    const auto blob = must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, key));
    const auto back = must(session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, unwrapped()));
    EXPECT_EQ(session.number(back, CKA_VALUE_LEN), size);
  }
}

TEST(KeyWrap, ABlobOfOneKindIsNoneOfTheOther) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  const auto key = generate_aes(session, extractable());
  const auto kw = must(session.wrap(CKM_AES_KEY_WRAP, kek, key));
  const auto kwp = must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, key));
  EXPECT_NE(kw, kwp);
  EXPECT_THAT(session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, kw, unwrapped()).rv,
              ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  EXPECT_THAT(session.unwrap(CKM_AES_KEY_WRAP, kek, kwp, unwrapped()).rv,
              ReturnsRv(CKR_WRAPPED_KEY_INVALID));
}

TEST(KeyWrap, A10_RandomBytesNeverUnwrapIntoAKeyByKw) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, wraps());
  const auto before = session.find({}).size();
  std::mt19937 random(11);
  for (int i = 0; i < 20000; ++i) {
    core::Bytes blob(24 + 8 * (random() % 6));
    for (auto& byte : blob) byte = static_cast<std::uint8_t>(random());
    ASSERT_THAT(session.unwrap(CKM_AES_KEY_WRAP, kek, blob, unwrapped()).rv,
                ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  }
  EXPECT_EQ(session.find({}).size(), before);
}

// With C_Decrypt the wrapping can be undone: such a key does not wrap what is sensitive.
TEST(KeyWrap, A01_AKeyThatWrapsAndDecryptsDoesNotWrapASensitiveKeyByKw) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session, extractable());
  for (const CK_MECHANISM_TYPE type : {CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP}) {
    const auto kek = generate_aes(session, wraps().flag(CKA_DECRYPT, true));
    EXPECT_THAT(session.wrap(type, kek, key).rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
    const auto only_wraps = generate_aes(session, wraps());
    const auto blob = must(session.wrap(type, only_wraps, key));
    Mechanism mechanism(type);
    EXPECT_THAT(session.decrypt(mechanism, only_wraps, blob).rv,
                ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  }
}

TEST(KeyWrap, A12_AStrongKeyDoesNotLeaveUnderAWeakOneByKw) {
  TestToken token;
  auto& session = token.session();
  for (const CK_ULONG kek_length : {16UL, 24UL, 32UL}) {
    const auto kek = generate_aes(session, wraps(), kek_length);
    for (const CK_ULONG length : {16UL, 24UL, 32UL}) {
      EXPECT_THAT(
          session.wrap(CKM_AES_KEY_WRAP, kek, generate_aes(session, extractable(), length)).rv,
          length <= kek_length ? IsOk() : ReturnsRv(CKR_WRAPPING_KEY_SIZE_RANGE));
    }
  }
}

}  // namespace
}  // namespace tallystick::test
