// AES-CBC and AES-CBC with PKCS#7 padding through C_Encrypt and C_Decrypt.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/symmetric.h"
#include "tests/pkcs11/support/vectors.h"

namespace tallystick::test {
namespace {

const core::Bytes kIv(16, 3);

TEST(AesCbc, HasTheMannersOfACipher) {
  TestToken token;
  const auto key = generate_aes(token.session());
  expect_cipher_manners(token, key,
                        [](std::size_t) { return std::make_unique<Mechanism>(CKM_AES_CBC, kIv); },
                        {0, 16, 32, 160, 1024});
}

TEST(AesCbcPad, HasTheMannersOfACipher) {
  TestToken token;
  const auto key = generate_aes(token.session());
  expect_cipher_manners(
      token, key, [](std::size_t) { return std::make_unique<Mechanism>(CKM_AES_CBC_PAD, kIv); },
      {0, 1, 15, 16, 17, 31, 32, 33, 1000});
}

// SP 800-38A, F.2.1 and F.2.5.
TEST(AesCbc, GivesTheKnownAnswers) {
  TestToken token;
  auto& session = token.session();
  Mechanism mechanism(CKM_AES_CBC, unhex("000102030405060708090a0b0c0d0e0f"));
  const auto text = unhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
  const std::pair<const char*, const char*> answers[] = {
      {"2b7e151628aed2a6abf7158809cf4f3c",
       "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"},
      {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
       "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"}};
  for (const auto& [key_hex, answer] : answers) {
    const auto key = must(session.create(
        secret_key(CKK_AES, unhex(key_hex)).flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true)));
    EXPECT_EQ(core::to_hex(must(session.encrypt(mechanism, key, text))), answer);
    EXPECT_EQ(must(session.decrypt(mechanism, key, unhex(answer))), text);
  }
}

TEST(AesCbc, TakesWholeBlocksOnly) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  Mechanism mechanism(CKM_AES_CBC, kIv);
  for (const std::size_t size : {1UL, 15UL, 17UL, 31UL}) {
    EXPECT_THAT(session.encrypt(mechanism, key, core::Bytes(size)).rv,
                ReturnsRv(CKR_DATA_LEN_RANGE));
    EXPECT_THAT(session.encrypt_parts(mechanism, key, core::Bytes(size), 4).rv,
                ReturnsRv(CKR_DATA_LEN_RANGE));
    EXPECT_THAT(session.decrypt(mechanism, key, core::Bytes(size)).rv,
                ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
    EXPECT_THAT(session.decrypt_parts(mechanism, key, core::Bytes(size), 4).rv,
                ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
  }
}

// Every last block of plaintext with a wrong end, made with CBC itself: one answer for all, and no
// byte of the message beside it.
TEST(AesCbcPad, A30_WhateverIsWrongWithThePaddingIsOneError) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  Mechanism plain(CKM_AES_CBC, kIv);
  Mechanism padded(CKM_AES_CBC_PAD, kIv);
  const auto check = [&](const core::Bytes& text, bool right) {
    auto sealed = must(session.encrypt(plain, key, text));
    core::Bytes out(text.size() + 32, 0xEE);
    CK_ULONG room = out.size();
    must(token->C_DecryptInit(token.handle(), padded.get(), key));
    const auto rv =
        token->C_Decrypt(token.handle(), sealed.data(), sealed.size(), out.data(), &room);
    ASSERT_THAT(rv, right ? IsOk() : ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
    const auto parts = session.decrypt_parts(padded, key, sealed, 16);
    ASSERT_THAT(parts.rv, right ? IsOk() : ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
    if (right) {
      EXPECT_EQ(room, text.size() - text.back());
      EXPECT_EQ(parts.value.size(), room);
    } else {
      EXPECT_EQ(std::ranges::count(out, 0xEE), static_cast<std::ptrdiff_t>(out.size()));
    }
  };
  for (const std::size_t blocks : {1UL, 3UL}) {
    core::Bytes text(16 * blocks, 0x77);
    for (unsigned pad = 0; pad <= 255; ++pad) {
      // All bytes of the last block are the padding's length.
      auto last = text;
      std::fill(last.end() - 16, last.end(), static_cast<std::uint8_t>(pad));
      check(last, pad >= 1 && pad <= 16);
    }
    for (std::size_t pad = 1; pad <= 16; ++pad) {
      for (std::size_t wrong = 2; wrong <= pad; ++wrong) {
        auto last = text;
        std::fill(last.end() - static_cast<std::ptrdiff_t>(pad), last.end(),
                  static_cast<std::uint8_t>(pad));
        last[last.size() - wrong] ^= 0x10U;
        check(last, false);
      }
    }
  }
}

TEST(AesCbcPad, ACiphertextHasAtLeastOneWholeBlock) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  Mechanism mechanism(CKM_AES_CBC_PAD, kIv);
  for (const std::size_t size : {0UL, 1UL, 15UL, 17UL, 31UL}) {
    EXPECT_THAT(session.decrypt(mechanism, key, core::Bytes(size)).rv,
                ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE))
        << size;
    EXPECT_THAT(session.decrypt_parts(mechanism, key, core::Bytes(size), 6).rv,
                ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE))
        << size;
  }
}

TEST(AesCbc, A64_OddParametersAreRefused) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  for (const CK_MECHANISM_TYPE type : {CKM_AES_CBC, CKM_AES_CBC_PAD}) {
    for (const std::size_t size : {0UL, 1UL, 8UL, 15UL, 17UL, 32UL}) {
      Mechanism mechanism(type, core::Bytes(size, 1));
      EXPECT_THAT(session.encrypt(mechanism, key, core::Bytes(16)).rv,
                  ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
      EXPECT_THAT(session.decrypt(mechanism, key, core::Bytes(16)).rv,
                  ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    }
    Mechanism null_iv(type);
    null_iv.get()->ulParameterLen = 16;
    EXPECT_THAT(token->C_EncryptInit(token.handle(), null_iv.get(), key),
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    Mechanism huge(type, kIv);
    huge.get()->ulParameterLen = ~0UL;
    EXPECT_THAT(token->C_EncryptInit(token.handle(), huge.get(), key),
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
}

// The memory behind these lengths is never touched: only the length of the output is asked for.
TEST(AesCbc, A60_MoreThanOneCallTakesIsRefused) {
  TestToken token;
  const auto key = generate_aes(token.session());
  constexpr CK_ULONG kMost = 1UL << 30U;
  CK_BYTE byte = 0;
  CK_ULONG size = 0;
  for (const CK_MECHANISM_TYPE type : {CKM_AES_CBC, CKM_AES_CBC_PAD}) {
    Mechanism mechanism(type, kIv);
    for (const CK_ULONG length : {kMost, kMost + 16, 1UL << 32U, 1UL << 46U}) {
      const bool fits = length == kMost;
      const auto encrypts = fits ? IsOk() : ReturnsRv(CKR_DATA_LEN_RANGE);
      const auto decrypts = fits ? IsOk() : ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE);
      const auto asked = [&](auto init, auto call) {
        must(init(token.handle(), mechanism.get(), key));
        const auto rv = call(token.handle(), &byte, length, nullptr, &size);
        must(init(token.handle(), nullptr, 0));  // ends what may go on
        return rv;
      };
      EXPECT_THAT(asked(token->C_EncryptInit, token->C_Encrypt), encrypts) << length;
      EXPECT_THAT(asked(token->C_EncryptInit, token->C_EncryptUpdate), encrypts) << length;
      EXPECT_THAT(asked(token->C_DecryptInit, token->C_Decrypt), decrypts) << length;
      EXPECT_THAT(asked(token->C_DecryptInit, token->C_DecryptUpdate), decrypts) << length;
    }
  }
}

TEST(AesCbc, A11_NeitherWrapsNorUnwraps) {
  TestToken token;
  auto& session = token.session();
  const auto kek = generate_aes(session, Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  const auto key = generate_aes(session, Attributes().flag(CKA_EXTRACTABLE, true));
  for (const CK_MECHANISM_TYPE type : {CKM_AES_CBC, CKM_AES_CBC_PAD}) {
    EXPECT_THAT(session.wrap({type, kIv}, kek, key).rv, ReturnsRv(CKR_MECHANISM_INVALID));
    EXPECT_THAT(session.unwrap({type, kIv}, kek, core::Bytes(32), secret_key(CKK_AES, {})).rv,
                ReturnsRv(CKR_MECHANISM_INVALID));
  }
}

}  // namespace
}  // namespace tallystick::test
