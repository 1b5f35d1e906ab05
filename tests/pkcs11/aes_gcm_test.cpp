// AES-GCM through C_Encrypt and C_Decrypt.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

TEST(AesGcm, A35_ABadTagLeavesTheOutputBufferUntouched) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  for (const std::size_t size : {1UL, 16UL, 1000UL, 1UL << 20U}) {
    Gcm gcm(core::Bytes(12, 1));
    auto sealed = must(session.encrypt(gcm, key, core::Bytes(size, 0x11)));
    sealed[size / 2] ^= 1U;
    core::Bytes out(size + 64, 0xEE);
    CK_ULONG room = out.size();
    must(token->C_DecryptInit(token.handle(), gcm.get(), key));
    EXPECT_THAT(token->C_Decrypt(token.handle(), sealed.data(), sealed.size(), out.data(), &room),
                ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
    EXPECT_EQ(std::ranges::count(out, 0xEE), static_cast<std::ptrdiff_t>(out.size())) << size;
  }
}

TEST(AesGcm, A35_NothingComesOutOfAMultiPartDecryptionBeforeItsTag) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  Gcm gcm(core::Bytes(12, 1));
  auto sealed = must(session.encrypt(gcm, key, core::Bytes(100000, 0x11)));
  sealed.back() ^= 1U;
  must(token->C_DecryptInit(token.handle(), gcm.get(), key));
  core::Bytes out(sealed.size() + 64, 0xEE);
  for (std::size_t at = 0; at < sealed.size(); at += 5000) {
    CK_ULONG room = out.size();
    ASSERT_THAT(
        token->C_DecryptUpdate(token.handle(), sealed.data() + at,
                               std::min<CK_ULONG>(5000, sealed.size() - at), out.data(), &room),
        IsOk());
    ASSERT_EQ(room, 0U);
  }
  CK_ULONG room = out.size();
  EXPECT_THAT(token->C_DecryptFinal(token.handle(), out.data(), &room),
              ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
  EXPECT_EQ(std::ranges::count(out, 0xEE), static_cast<std::ptrdiff_t>(out.size()));
}

TEST(AesGcm, A38_EveryFlippedByteGivesTheSameError) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  Gcm gcm(core::Bytes(12, 1), bytes("header"));
  const auto sealed = must(session.encrypt(gcm, key, core::Bytes(40, 0x11)));
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    auto damaged = sealed;
    damaged[at] ^= 0x80U;
    ASSERT_THAT(session.decrypt(gcm, key, damaged).rv, ReturnsRv(CKR_ENCRYPTED_DATA_INVALID)) << at;
  }
  Gcm other_aad(core::Bytes(12, 1), bytes("headex"));
  EXPECT_THAT(session.decrypt(other_aad, key, sealed).rv, ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
  Gcm other_iv(core::Bytes(12, 2), bytes("header"));
  EXPECT_THAT(session.decrypt(other_iv, key, sealed).rv, ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
  for (std::size_t length = 0; length < 16; ++length) {
    EXPECT_THAT(session.decrypt(gcm, key, core::Bytes(length, 0)).rv,
                ::testing::AnyOf(ReturnsRv(CKR_ENCRYPTED_DATA_INVALID),
                                 ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE)));
  }
}

// What an operation leaves behind, in whatever state it ended, is nothing to the next one.
TEST(AesGcm, OperationsWithOneKeyDoNotDisturbEachOther) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  const auto text = core::Bytes(1000, 0x11);
  Gcm usual(core::Bytes(12, 1), bytes("header"));
  Gcm unusual(core::Bytes(20, 2));
  const auto sealed = must(session.encrypt(usual, key, text));
  const auto sealed_too = must(session.encrypt(unusual, key, text));
  const auto expect_the_same = [&] {
    EXPECT_EQ(must(session.encrypt(usual, key, text)), sealed);
    EXPECT_EQ(must(session.decrypt(usual, key, sealed)), text);
    EXPECT_EQ(must(session.encrypt(unusual, key, text)), sealed_too);
    EXPECT_EQ(must(session.decrypt(unusual, key, sealed_too)), text);
  };
  expect_the_same();

  // One is half way while the others come and go.
  Session other(token.functions(), token.slot());
  core::Bytes out(sealed.size());
  CK_ULONG room = out.size();
  must(token->C_EncryptInit(other.handle(), usual.get(), key));
  must(token->C_EncryptUpdate(other.handle(), core::Bytes(text).data(), 333, out.data(), &room));
  expect_the_same();
  CK_ULONG more = out.size() - room;
  must(token->C_EncryptUpdate(other.handle(), core::Bytes(text).data(), 667, out.data() + room,
                              &more));
  expect_the_same();
  CK_ULONG last = out.size() - room - more;
  must(token->C_EncryptFinal(other.handle(), out.data() + room + more, &last));
  EXPECT_EQ(out, sealed);

  // One is given up, and one fails.
  must(token->C_EncryptInit(other.handle(), unusual.get(), key));
  must(token->C_EncryptUpdate(other.handle(), core::Bytes(text).data(), 100, out.data(), &room));
  must(token->C_EncryptInit(other.handle(), nullptr, key));
  auto damaged = sealed;
  damaged[5] ^= 1U;
  EXPECT_THAT(session.decrypt(usual, key, damaged).rv, ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
  expect_the_same();
}

TEST(AesGcm, A34_TagsAreNotShort) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  for (CK_ULONG bits = 0; bits <= 160; ++bits) {
    Gcm gcm(core::Bytes(12, 1), {}, bits);
    const auto rv = session.encrypt(gcm, key, bytes("x")).rv;
    if (bits == 128) {
      EXPECT_THAT(rv, IsOk());
    } else if (bits < 96 || bits > 128 || bits % 8 != 0) {
      EXPECT_THAT(rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID)) << bits;
    }
  }
}

// The memory behind these lengths is never touched: only the length of the output is asked for.
TEST(AesGcm, A60_MoreThanOneCallDecryptsIsRefused) {
  TestToken token;
  const auto key = generate_aes(token.session());
  Gcm gcm(core::Bytes(12, 1));
  CK_BYTE byte = 0;
  CK_ULONG size = 0;
  for (const CK_ULONG length : {(1UL << 30U) + 16, (1UL << 30U) + 17, 1UL << 32U, 1UL << 46U}) {
    const bool fits = length == (1UL << 30U) + 16;
    must(token->C_DecryptInit(token.handle(), gcm.get(), key));
    EXPECT_THAT(token->C_Decrypt(token.handle(), &byte, length, nullptr, &size),
                fits ? IsOk() : ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE))
        << length;
    must(token->C_DecryptInit(token.handle(), nullptr, 0));
  }
}

TEST(AesGcm, A60_MoreThanOneCallEncryptsIsRefused) {
  TestToken token;
  const auto key = generate_aes(token.session());
  Gcm gcm(core::Bytes(12, 1));
  CK_BYTE byte = 0;
  CK_ULONG size = 0;
  for (const CK_ULONG length : {1UL << 30U, (1UL << 30U) + 1, 1UL << 32U, 1UL << 46U}) {
    const auto expected = length == 1UL << 30U ? IsOk() : ReturnsRv(CKR_DATA_LEN_RANGE);
    must(token->C_EncryptInit(token.handle(), gcm.get(), key));
    EXPECT_THAT(token->C_Encrypt(token.handle(), &byte, length, nullptr, &size), expected)
        << length;
    must(token->C_EncryptInit(token.handle(), nullptr, 0));
    must(token->C_EncryptInit(token.handle(), gcm.get(), key));
    EXPECT_THAT(token->C_EncryptUpdate(token.handle(), &byte, length, nullptr, &size), expected)
        << length;
    must(token->C_EncryptInit(token.handle(), nullptr, 0));
  }
}

TEST(AesGcm, A67_WhatADecryptionByPartsHoldsIsCapped) {
  TestToken token;
  const auto key = generate_aes(token.session());
  Gcm gcm(core::Bytes(12, 1));
  core::Bytes most((64UL << 20U) + 16);
  CK_BYTE byte = 0;
  CK_ULONG size = 0;
  must(token->C_DecryptInit(token.handle(), gcm.get(), key));
  EXPECT_THAT(token->C_DecryptUpdate(token.handle(), most.data(), most.size(), &byte, &size),
              IsOk());
  EXPECT_THAT(token->C_DecryptUpdate(token.handle(), &byte, 1, &byte, &size),
              ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
  EXPECT_THAT(token->C_DecryptFinal(token.handle(), &byte, &size),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
}

TEST(AesGcm, WorksInPlace) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  Gcm gcm(core::Bytes(12, 1));
  const auto text = core::Bytes(1000, 0x42);
  const auto expected = must(session.encrypt(gcm, key, text));
  auto buffer = text;
  buffer.resize(text.size() + 16);
  CK_ULONG size = buffer.size();
  must(token->C_EncryptInit(token.handle(), gcm.get(), key));
  must(token->C_Encrypt(token.handle(), buffer.data(), text.size(), buffer.data(), &size));
  EXPECT_EQ(buffer, expected);
  must(token->C_DecryptInit(token.handle(), gcm.get(), key));
  size = buffer.size();
  must(token->C_Decrypt(token.handle(), buffer.data(), buffer.size(), buffer.data(), &size));
  buffer.resize(size);
  EXPECT_EQ(buffer, text);
}

TEST(AesGcm, NeedsTheUseOnTheKey) {
  TestToken token;
  auto& session = token.session();
  const auto key = must(session.create(
      secret_key(CKK_AES, core::Bytes(32, 1)).flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, false)));
  Gcm gcm(core::Bytes(12, 1));
  const auto sealed = must(session.encrypt(gcm, key, bytes("x")));
  EXPECT_THAT(session.decrypt(gcm, key, sealed).rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  const auto pair = generate_ec(session);
  EXPECT_THAT(
      session.encrypt(gcm, pair.public_key, bytes("x")).rv,
      ::testing::AnyOf(ReturnsRv(CKR_KEY_TYPE_INCONSISTENT), ReturnsRv(CKR_MECHANISM_INVALID)));
}

TEST(AesGcm, A16_AllowedMechanismsKeepAKeyToOneMode) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session, Attributes()
                                             .numbers(CKA_ALLOWED_MECHANISMS, {CKM_AES_CMAC})
                                             .flag(CKA_SIGN, true)
                                             .flag(CKA_ENCRYPT, true));
  Gcm gcm(core::Bytes(12, 1));
  EXPECT_THAT(session.encrypt(gcm, key, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_INVALID));
  EXPECT_THAT(session.sign(CKM_AES_CMAC, key, bytes("x")).rv, IsOk());
}

}  // namespace
}  // namespace tallystick::test
