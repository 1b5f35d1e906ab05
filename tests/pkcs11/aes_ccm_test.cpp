// AES-CCM through C_Encrypt and C_Decrypt.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/symmetric.h"

namespace tallystick::test {
namespace {

using ::testing::AnyOf;

const core::Bytes kNonce(12, 1);

TEST(AesCcm, HasTheMannersOfACipher) {
  TestToken token;
  const auto key = generate_aes(token.session());
  expect_cipher_manners(
      token, key,
      [](std::size_t size) { return std::make_unique<Ccm>(size, kNonce, bytes("header")); },
      {0, 1, 15, 16, 17, 100, 1000});
}

// libcrypto takes a null pointer for "nothing to do" and would accept any tag.
TEST(AesCcm, A35_AnEmptyMessageStillHasItsTagChecked) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  Ccm ccm(0, kNonce, bytes("header"));
  auto tag = must(session.encrypt(ccm, key, {}));
  ASSERT_EQ(tag.size(), 16U);
  for (const bool right : {true, false}) {
    if (!right) tag[0] ^= 1U;
    const auto expected = right ? IsOk() : ReturnsRv(CKR_ENCRYPTED_DATA_INVALID);
    // The output has no bytes: with a buffer, and without one.
    CK_BYTE byte = 0xEE;
    for (CK_BYTE* const out : {&byte, static_cast<CK_BYTE*>(nullptr)}) {
      CK_ULONG room = 0;
      must(token->C_DecryptInit(token.handle(), ccm.get(), key));
      must(token->C_DecryptUpdate(token.handle(), tag.data(), tag.size(), &byte, &room));
      room = 0;
      EXPECT_THAT(token->C_DecryptFinal(token.handle(), out, &room), expected);
    }
    CK_ULONG room = 1;
    must(token->C_DecryptInit(token.handle(), ccm.get(), key));
    EXPECT_THAT(token->C_Decrypt(token.handle(), tag.data(), tag.size(), &byte, &room), expected);
    EXPECT_EQ(byte, 0xEE);
  }
  // A tag for other associated data, and none at all.
  Ccm other(0, kNonce, bytes("headex"));
  tag[0] ^= 1U;
  EXPECT_THAT(session.decrypt_parts(other, key, tag, 16).rv, ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
  EXPECT_THAT(session.decrypt_parts(ccm, key, {}, 16).rv, ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
}

TEST(AesCcm, A35_ABadTagLeavesTheOutputBufferUntouched) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  for (const std::size_t size : {1UL, 16UL, 1000UL, 1UL << 20U}) {
    Ccm ccm(size, kNonce);
    auto sealed = must(session.encrypt(ccm, key, core::Bytes(size, 0x11)));
    sealed[size / 2] ^= 1U;
    core::Bytes out(size + 64, 0xEE);
    CK_ULONG room = out.size();
    must(token->C_DecryptInit(token.handle(), ccm.get(), key));
    EXPECT_THAT(token->C_Decrypt(token.handle(), sealed.data(), sealed.size(), out.data(), &room),
                ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
    EXPECT_EQ(std::ranges::count(out, 0xEE), static_cast<std::ptrdiff_t>(out.size())) << size;
    must(token->C_DecryptInit(token.handle(), ccm.get(), key));
    room = out.size();
    must(token->C_DecryptUpdate(token.handle(), sealed.data(), sealed.size(), out.data(), &room));
    EXPECT_EQ(room, 0U);
    room = out.size();
    EXPECT_THAT(token->C_DecryptFinal(token.handle(), out.data(), &room),
                ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
    EXPECT_EQ(std::ranges::count(out, 0xEE), static_cast<std::ptrdiff_t>(out.size())) << size;
  }
}

TEST(AesCcm, A38_EveryFlippedByteGivesTheSameError) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  Ccm ccm(40, kNonce, bytes("header"));
  const auto sealed = must(session.encrypt(ccm, key, core::Bytes(40, 0x11)));
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    auto damaged = sealed;
    damaged[at] ^= 0x80U;
    ASSERT_THAT(session.decrypt(ccm, key, damaged).rv, ReturnsRv(CKR_ENCRYPTED_DATA_INVALID)) << at;
    ASSERT_THAT(session.decrypt_parts(ccm, key, damaged, 9).rv,
                ReturnsRv(CKR_ENCRYPTED_DATA_INVALID))
        << at;
  }
  Ccm other_nonce(40, core::Bytes(12, 2), bytes("header"));
  EXPECT_THAT(session.decrypt(other_nonce, key, sealed).rv, ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
}

TEST(AesCcm, TheMessageHasTheLengthOfTheParameter) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  const auto sealed = [&] {
    Ccm ccm(40, kNonce);
    return must(session.encrypt(ccm, key, core::Bytes(40, 0x11)));
  }();
  for (const std::size_t said : {0UL, 39UL, 41UL, 56UL}) {
    Ccm ccm(said, kNonce);
    EXPECT_THAT(session.encrypt(ccm, key, core::Bytes(40)).rv, ReturnsRv(CKR_DATA_LEN_RANGE));
    EXPECT_THAT(session.encrypt_parts(ccm, key, core::Bytes(40), 7).rv,
                ReturnsRv(CKR_DATA_LEN_RANGE));
    EXPECT_THAT(session.decrypt(ccm, key, sealed).rv, ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
    EXPECT_THAT(session.decrypt_parts(ccm, key, sealed, 7).rv,
                ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
  }
}

TEST(AesCcm, A34_TagsAreNotShort) {
  TestToken token;
  const auto key = generate_aes(token.session());
  for (CK_ULONG size = 0; size <= 20; ++size) {
    Ccm ccm(1, kNonce, {}, size);
    EXPECT_THAT(token.session().encrypt(ccm, key, bytes("x")).rv,
                size == 16 ? IsOk() : ReturnsRv(CKR_MECHANISM_PARAM_INVALID))
        << size;
  }
}

TEST(AesCcm, A60_A64_OddParametersAreRefused) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  const auto init = [&](Ccm& ccm) {
    const auto rv = token->C_EncryptInit(token.handle(), ccm.get(), key);
    EXPECT_THAT(token->C_DecryptInit(token.handle(), ccm.get(), key), ReturnsRv(rv));
    // Ends what may have begun.
    (void)token->C_EncryptInit(token.handle(), nullptr, 0);
    (void)token->C_DecryptInit(token.handle(), nullptr, 0);
    return rv;
  };
  const auto refused = ReturnsRv(CKR_MECHANISM_PARAM_INVALID);
  {
    for (CK_ULONG size = 0; size < 20; ++size) {
      Ccm ccm(1, core::Bytes(size, 1));
      EXPECT_THAT(init(ccm), size >= 7 && size <= 13 ? IsOk() : refused) << size;
    }
  }
  for (const CK_ULONG huge : {1UL << 30U, 1UL << 31U, 1UL << 32U, 1UL << 63U, ~0UL}) {
    Ccm long_nonce(1, kNonce);
    long_nonce.params().ulNonceLen = huge;
    EXPECT_THAT(init(long_nonce), refused);
    Ccm long_aad(1, kNonce, bytes("header"));
    long_aad.params().ulAADLen = huge;
    EXPECT_THAT(init(long_aad), refused);
    Ccm long_data(1, kNonce);
    long_data.params().ulDataLen = huge;
    EXPECT_THAT(init(long_data), refused) << huge;
    // A nonce of seven bytes leaves room to write all of these lengths; libcrypto takes less.
    Ccm short_nonce(1, core::Bytes(7, 1));
    short_nonce.params().ulDataLen = huge;
    EXPECT_THAT(init(short_nonce), huge == 1UL << 30U ? IsOk() : refused) << huge;
  }
  Ccm no_nonce(1, kNonce);
  no_nonce.params().pNonce = nullptr;
  EXPECT_THAT(init(no_nonce), refused);
  Ccm no_aad(1, kNonce, bytes("header"));
  no_aad.params().pAAD = nullptr;
  EXPECT_THAT(init(no_aad), refused);
  // With 13 bytes of nonce the length has two.
  Ccm longest(65535, core::Bytes(13, 1));
  EXPECT_THAT(init(longest), IsOk());
  Ccm too_long(65536, core::Bytes(13, 1));
  EXPECT_THAT(init(too_long), refused);
  for (const std::size_t size : {0UL, 1UL, sizeof(CK_CCM_PARAMS) - 1, sizeof(CK_CCM_PARAMS) + 1}) {
    Mechanism blunt(CKM_AES_CCM, core::Bytes(size));
    EXPECT_THAT(session.encrypt(blunt, key, bytes("x")).rv, refused) << size;
    EXPECT_THAT(session.decrypt(blunt, key, core::Bytes(17)).rv, refused) << size;
  }
}

TEST(AesCcm, TakesAesKeysOfTheirUse) {
  TestToken token;
  auto& session = token.session();
  Ccm ccm(1, kNonce);
  const auto generic = must(
      session.create(secret_key(CKK_GENERIC_SECRET, core::Bytes(32, 1)).flag(CKA_ENCRYPT, true)));
  EXPECT_THAT(session.encrypt(ccm, generic, bytes("x")).rv, ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  const auto one_way = generate_aes(session, Attributes().flag(CKA_ENCRYPT, true));
  const auto sealed = must(session.encrypt(ccm, one_way, bytes("x")));
  EXPECT_THAT(session.decrypt(ccm, one_way, sealed).rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
}

}  // namespace
}  // namespace tallystick::test
