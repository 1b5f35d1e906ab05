// AES-CTR through C_Encrypt and C_Decrypt.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/symmetric.h"
#include "tests/pkcs11/support/vectors.h"

namespace tallystick::test {
namespace {

TEST(AesCtr, HasTheMannersOfACipher) {
  TestToken token;
  const auto key = generate_aes(token.session());
  expect_cipher_manners(
      token, key,
      [](std::size_t) { return std::make_unique<Mechanism>(ctr(core::Bytes(16, 9), 128)); },
      {0, 1, 15, 16, 17, 100, 1000});
}

// SP 800-38A, F.5.1 and F.5.5.
TEST(AesCtr, GivesTheKnownAnswers) {
  TestToken token;
  auto& session = token.session();
  const auto text = unhex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  const std::pair<const char*, const char*> answers[] = {
      {"2b7e151628aed2a6abf7158809cf4f3c",
       "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
       "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"},
      {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
       "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
       "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"}};
  for (const auto& [key_hex, answer] : answers) {
    const auto key = must(session.create(
        secret_key(CKK_AES, unhex(key_hex)).flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true)));
    for (const CK_ULONG bits : {128UL, 64UL, 17UL}) {
      auto mechanism = ctr(unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), bits);
      EXPECT_EQ(core::to_hex(must(session.encrypt(mechanism, key, text))), answer);
      EXPECT_EQ(must(session.decrypt(mechanism, key, unhex(answer))), text);
    }
  }
}

// A counter of n bits at c lets 2^n - c blocks pass and not a byte more.
TEST(AesCtr, A33_AShortCounterDoesNotBeginAnew) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  struct Counter {
    CK_ULONG bits;
    const char* block;
    std::size_t blocks;
  };
  const Counter counters[] = {
      {1, "00000000000000000000000000000000", 2},    {1, "00000000000000000000000000000001", 1},
      {1, "fffffffffffffffffffffffffffffffe", 2},    {2, "00000000000000000000000000000001", 3},
      {7, "00000000000000000000000000000080", 128},  {8, "00000000000000000000000000000000", 256},
      {8, "000000000000000000000000000000ff", 1},    {9, "000000000000000000000000000001fe", 2},
      {16, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", 257}, {32, "000102030405060708090a0bfffffffe", 2},
      {33, "000102030405060708090a01ffffffff", 1},   {33, "000102030405060708090a01fffffff0", 16},
      {64, "0001020304050607ffffffffffffffff", 1},   {65, "0001020304050601fffffffffffffffd", 3},
      {127, "7fffffffffffffffffffffffffffffff", 1},  {127, "fffffffffffffffffffffffffffffffe", 2},
  };
  for (const auto& [bits, block, blocks] : counters) {
    SCOPED_TRACE(std::to_string(bits) + " bits at " + block);
    auto mechanism = ctr(unhex(block), bits);
    const auto most = 16 * blocks;
    const auto text = some_bytes(most);
    auto longer = text;
    longer.push_back(0);
    const auto sealed = session.encrypt(mechanism, key, text);
    ASSERT_THAT(sealed.rv, IsOk());
    // The same key stream as a counter of the whole block gives, which carries nothing here.
    auto whole = ctr(unhex(block), 128);
    EXPECT_EQ(sealed.value, must(session.encrypt(whole, key, text)));
    EXPECT_THAT(session.encrypt(mechanism, key, longer).rv, ReturnsRv(CKR_DATA_LEN_RANGE));
    EXPECT_THAT(session.decrypt(mechanism, key, longer).rv,
                ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
    EXPECT_EQ(must(session.encrypt_parts(mechanism, key, text, 5)), sealed.value);
    EXPECT_THAT(session.encrypt_parts(mechanism, key, longer, 5).rv, ReturnsRv(CKR_DATA_LEN_RANGE));
    EXPECT_THAT(session.decrypt_parts(mechanism, key, longer, most).rv,
                ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
  }
}

TEST(AesCtr, ACounterWithRoomTakesLongMessages) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  const core::Bytes text(1UL << 20U, 0x5A);
  for (const char* const block :
       {"00000000000000000000000000000001", "fffffffffffffffffffffffffffffff0"}) {
    for (const CK_ULONG bits : {128UL, 127UL, 100UL, 64UL, 32UL}) {
      // The second wraps within the message unless the counter is the whole block.
      const bool fits = bits == 128 || block[0] == '0';
      auto mechanism = ctr(unhex(block), bits);
      EXPECT_THAT(session.encrypt(mechanism, key, text).rv,
                  fits ? IsOk() : ReturnsRv(CKR_DATA_LEN_RANGE))
          << bits << " " << block;
    }
  }
}

// The memory behind these lengths is never touched: only the length of the output is asked for.
TEST(AesCtr, A60_MoreThanOneCallTakesIsRefused) {
  TestToken token;
  const auto key = generate_aes(token.session());
  auto mechanism = ctr(core::Bytes(16), 128);
  CK_BYTE byte = 0;
  CK_ULONG size = 0;
  for (const CK_ULONG length : {1UL << 30U, (1UL << 30U) + 1, 1UL << 32U, 1UL << 46U}) {
    const bool fits = length == 1UL << 30U;
    must(token->C_EncryptInit(token.handle(), mechanism.get(), key));
    EXPECT_THAT(token->C_Encrypt(token.handle(), &byte, length, nullptr, &size),
                fits ? IsOk() : ReturnsRv(CKR_DATA_LEN_RANGE))
        << length;
    must(token->C_EncryptInit(token.handle(), nullptr, 0));
    must(token->C_DecryptInit(token.handle(), mechanism.get(), key));
    EXPECT_THAT(token->C_DecryptUpdate(token.handle(), &byte, length, nullptr, &size),
                fits ? IsOk() : ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE))
        << length;
    must(token->C_DecryptInit(token.handle(), nullptr, 0));
  }
}

TEST(AesCtr, A64_OddParametersAreRefused) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  for (const CK_ULONG bits : {0UL, 129UL, 136UL, 1UL << 31U, ~0UL}) {
    auto mechanism = ctr(core::Bytes(16), bits);
    EXPECT_THAT(session.encrypt(mechanism, key, bytes("x")).rv,
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID))
        << bits;
  }
  const auto size_of = sizeof(CK_AES_CTR_PARAMS);
  for (const std::size_t size : {0UL, 1UL, 16UL, size_of - 1, size_of + 1}) {
    Mechanism blunt(CKM_AES_CTR, core::Bytes(size, 1));
    EXPECT_THAT(session.encrypt(blunt, key, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    EXPECT_THAT(session.decrypt(blunt, key, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
}

TEST(AesCtr, A11_NeitherWrapsNorUnwraps) {
  TestToken token;
  auto& session = token.session();
  const auto both = Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true);
  const auto kek = generate_aes(session, both);
  const auto key = generate_aes(session, Attributes().flag(CKA_EXTRACTABLE, true));
  const auto mechanism = ctr(core::Bytes(16), 128);
  EXPECT_THAT(session.wrap(mechanism, kek, key).rv, ReturnsRv(CKR_MECHANISM_INVALID));
  EXPECT_THAT(session.unwrap(mechanism, kek, core::Bytes(32), secret_key(CKK_AES, {})).rv,
              ReturnsRv(CKR_MECHANISM_INVALID));
}

}  // namespace
}  // namespace tallystick::test
