// HMAC with every hash: known answers (the messages of RFC 4231, cases 2 and 6), shortened MACs,
// key types and key generation.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/symmetric.h"

namespace tallystick::test {
namespace {

struct Known {
  const char* name;
  CK_MECHANISM_TYPE hmac;
  CK_MECHANISM_TYPE general;
  CK_MECHANISM_TYPE key_gen;
  CK_KEY_TYPE key_type;
  const char* short_key;
  const char* long_key;
};
const Known kHmacs[] = {
    {"SHA1", CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL, CKM_SHA_1_KEY_GEN, CKK_SHA_1_HMAC,
     "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", "90d0dace1c1bdc957339307803160335bde6df2b"},
    {"SHA224", CKM_SHA224_HMAC, CKM_SHA224_HMAC_GENERAL, CKM_SHA224_KEY_GEN, CKK_SHA224_HMAC,
     "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
     "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e"},
    {"SHA256", CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, CKM_SHA256_KEY_GEN, CKK_SHA256_HMAC,
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"SHA384", CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL, CKM_SHA384_KEY_GEN, CKK_SHA384_HMAC,
     "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
     "8e2240ca5e69e2c78b3239ecfab21649",
     "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
     "0c2ef6ab4030fe8296248df163f44952"},
    {"SHA512", CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL, CKM_SHA512_KEY_GEN, CKK_SHA512_HMAC,
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
     "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
     "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
    {"SHA512224", CKM_SHA512_224_HMAC, CKM_SHA512_224_HMAC_GENERAL, CKM_SHA512_224_KEY_GEN,
     CKK_SHA512_224_HMAC, "4a530b31a79ebcce36916546317c45f247d83241dfb818fd37254bde",
     "29bef8ce88b54d4226c3c7718ea9e32ace2429026f089e38cea9aeda"},
    {"SHA512256", CKM_SHA512_256_HMAC, CKM_SHA512_256_HMAC_GENERAL, CKM_SHA512_256_KEY_GEN,
     CKK_SHA512_256_HMAC, "6df7b24630d5ccb2ee335407081a87188c221489768fa2020513b2d593359456",
     "87123c45f7c537a404f8f47cdbedda1fc9bec60eeb971982ce7ef10e774e6539"},
    {"SHA3224", CKM_SHA3_224_HMAC, CKM_SHA3_224_HMAC_GENERAL, CKM_SHA3_224_KEY_GEN,
     CKK_SHA3_224_HMAC, "7fdb8dd88bd2f60d1b798634ad386811c2cfc85bfaf5d52bbace5e66",
     "b4a1f04c00287a9b7f6075b313d279b833bc8f75124352d05fb9995f"},
    {"SHA3256", CKM_SHA3_256_HMAC, CKM_SHA3_256_HMAC_GENERAL, CKM_SHA3_256_KEY_GEN,
     CKK_SHA3_256_HMAC, "c7d4072e788877ae3596bbb0da73b887c9171f93095b294ae857fbe2645e1ba5",
     "ed73a374b96c005235f948032f09674a58c0ce555cfc1f223b02356560312c3b"},
    {"SHA3384", CKM_SHA3_384_HMAC, CKM_SHA3_384_HMAC_GENERAL, CKM_SHA3_384_KEY_GEN,
     CKK_SHA3_384_HMAC,
     "f1101f8cbf9766fd6764d2ed61903f21ca9b18f57cf3e1a23ca13508a93243ce"
     "48c045dc007f26a21b3f5e0e9df4c20a",
     "0fc19513bf6bd878037016706a0e57bc528139836b9a42c3d419e498e0e1fb96"
     "16fd669138d33a1105e07c72b6953bcc"},
    {"SHA3512", CKM_SHA3_512_HMAC, CKM_SHA3_512_HMAC_GENERAL, CKM_SHA3_512_KEY_GEN,
     CKK_SHA3_512_HMAC,
     "5a4bfeab6166427c7a3647b747292b8384537cdb89afb3bf5665e4c5e709350b"
     "287baec921fd7ca0ee7a0c31d022a95e1fc92ba9d77df883960275beb4e62024",
     "00f751a9e50695b090ed6911a4b65524951cdc15a73a5d58bb55215ea2cd839a"
     "c79d2b44a39bafab27e83fde9e11f6340b11d991b1b91bf2eee7fc872426c3a4"},
};

Attributes signing(CK_KEY_TYPE type, const core::Bytes& value) {
  return secret_key(type, value).flag(CKA_SIGN, true).flag(CKA_VERIFY, true);
}

TEST(Hmac, GivesTheKnownAnswersWithEitherKeyType) {
  TestToken token;
  auto& session = token.session();
  for (const auto& one : kHmacs) {
    SCOPED_TRACE(one.name);
    for (const auto type : {static_cast<CK_KEY_TYPE>(CKK_GENERIC_SECRET), one.key_type}) {
      const auto short_key = must(session.create(signing(type, bytes("Jefe"))));
      EXPECT_EQ(core::to_hex(
                    must(session.sign(one.hmac, short_key, bytes("what do ya want for nothing?")))),
                one.short_key);
      const auto long_key = must(session.create(signing(type, core::Bytes(131, 0xAA))));
      const auto message = bytes("Test Using Larger Than Block-Size Key - Hash Key First");
      EXPECT_EQ(core::to_hex(must(session.sign(one.hmac, long_key, message))), one.long_key);
      EXPECT_EQ(core::to_hex(must(session.sign_parts(one.hmac, long_key, message, 5))),
                one.long_key);
    }
  }
}

TEST(Hmac, A34_IsNotShorterThanTwelveBytes) {
  TestToken token;
  auto& session = token.session();
  for (const auto& one : kHmacs) {
    SCOPED_TRACE(one.name);
    const auto key = must(session.create(signing(CKK_GENERIC_SECRET, bytes("Jefe"))));
    const auto message = bytes("what do ya want for nothing?");
    const auto whole = must(session.sign(one.hmac, key, message));
    for (CK_ULONG length = 0; length <= whole.size() + 1; ++length) {
      const auto mechanism = with_number(one.general, length);
      const auto made = session.sign(mechanism, key, message);
      if (length < 12 || length > whole.size()) {
        EXPECT_THAT(made.rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID)) << length;
        EXPECT_THAT(session.verify(mechanism, key, message, core::Bytes(length)),
                    ReturnsRv(CKR_MECHANISM_PARAM_INVALID))
            << length;
        continue;
      }
      ASSERT_THAT(made.rv, IsOk()) << length;
      EXPECT_EQ(made.value, core::Bytes(whole.begin(), whole.begin() + static_cast<long>(length)));
      EXPECT_THAT(session.verify(mechanism, key, message, made.value), IsOk());
      EXPECT_THAT(session.verify_parts(mechanism, key, message, made.value, 3), IsOk());
      auto wrong = made.value;
      wrong[0] ^= 1U;
      EXPECT_THAT(session.verify(mechanism, key, message, wrong), ReturnsRv(CKR_SIGNATURE_INVALID));
      if (length < whole.size()) {
        EXPECT_THAT(session.verify(mechanism, key, message, whole),
                    ReturnsRv(CKR_SIGNATURE_LEN_RANGE));
      }
    }
    for (const CK_ULONG length : {~0UL, 1UL << 63U, 1UL << 32U}) {
      EXPECT_THAT(session.sign(with_number(one.general, length), key, message).rv,
                  ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    }
  }
}

TEST(Hmac, RefusesParametersOfTheWrongSize) {
  TestToken token;
  auto& session = token.session();
  for (const auto& one : kHmacs) {
    SCOPED_TRACE(one.name);
    const auto key = must(session.create(signing(CKK_GENERIC_SECRET, bytes("Jefe"))));
    for (const std::size_t size : {0UL, 1UL, sizeof(CK_ULONG) - 1, sizeof(CK_ULONG) + 1}) {
      EXPECT_THAT(session.sign({one.general, core::Bytes(size, 16)}, key, bytes("x")).rv,
                  ReturnsRv(CKR_MECHANISM_PARAM_INVALID))
          << size;
    }
    EXPECT_THAT(session.sign({one.hmac, core::Bytes(1)}, key, bytes("x")).rv,
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
}

TEST(Hmac, RefusesKeysOfOtherTypes) {
  TestToken token;
  auto& session = token.session();
  for (const auto& one : kHmacs) {
    SCOPED_TRACE(one.name);
    const auto other = one.key_type == CKK_SHA256_HMAC ? CKK_SHA384_HMAC : CKK_SHA256_HMAC;
    const auto foreign = must(session.create(signing(other, core::Bytes(32, 1))));
    EXPECT_THAT(session.sign(one.hmac, foreign, bytes("x")).rv,
                ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
    const auto aes = must(session.create(signing(CKK_AES, core::Bytes(32, 1))));
    EXPECT_THAT(session.sign(one.hmac, aes, bytes("x")).rv, ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  }
}

TEST(Hmac, HasAKeyGenerationOfItsOwn) {
  TestToken token;
  auto& session = token.session();
  for (const auto& one : kHmacs) {
    SCOPED_TRACE(one.name);
    const auto key = must(
        session.generate(one.key_gen, Attributes().number(CKA_VALUE_LEN, 40).flag(CKA_SIGN, true)));
    EXPECT_EQ(session.number(key, CKA_KEY_TYPE), one.key_type);
    EXPECT_EQ(session.number(key, CKA_VALUE_LEN), 40U);
    EXPECT_EQ(session.number(key, CKA_KEY_GEN_MECHANISM), one.key_gen);
    EXPECT_TRUE(session.flag(key, CKA_LOCAL));
    EXPECT_THAT(session.sign(one.hmac, key, bytes("x")).rv, IsOk());
    EXPECT_THAT(session.generate(one.key_gen, {}).rv, ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
    EXPECT_THAT(session.generate(one.key_gen, Attributes().number(CKA_VALUE_LEN, 15)).rv,
                ReturnsRv(CKR_KEY_SIZE_RANGE));
    EXPECT_THAT(session.generate(one.key_gen, Attributes().number(CKA_VALUE_LEN, ~0UL)).rv,
                ReturnsRv(CKR_KEY_SIZE_RANGE));
    EXPECT_THAT(session
                    .generate(one.key_gen,
                              Attributes().number(CKA_VALUE_LEN, 40).number(CKA_KEY_TYPE, CKK_AES))
                    .rv,
                ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  }
}

TEST(Hmac, TheGenericKeyGenerationMakesItsKeysAndNoAesKey) {
  TestToken token;
  auto& session = token.session();
  const auto made = [&](CK_KEY_TYPE type) {
    return session
        .generate(CKM_GENERIC_SECRET_KEY_GEN,
                  Attributes().number(CKA_VALUE_LEN, 32).number(CKA_KEY_TYPE, type))
        .rv;
  };
  for (const auto& one : kHmacs) EXPECT_THAT(made(one.key_type), IsOk()) << one.name;
  EXPECT_THAT(made(CKK_GENERIC_SECRET), IsOk());
  EXPECT_THAT(made(CKK_AES), ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
}

// One object serves the whole and the shortened MAC by turns, from several sessions.
TEST(Hmac, TheKeyedStateIsSharedByTheWholeAndTheShortenedMac) {
  TestToken token;
  auto& session = token.session();
  const auto key = must(session.create(signing(CKK_GENERIC_SECRET, core::Bytes(64, 3))));
  const auto whole = must(session.sign(CKM_SHA256_HMAC, key, bytes("x")));
  Session second(token.functions(), token.slot());
  for (int i = 0; i < 3; ++i) {
    const auto part = must(second.sign(with_number(CKM_SHA256_HMAC_GENERAL, 16), key, bytes("x")));
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin()));
    EXPECT_EQ(must(session.sign(CKM_SHA256_HMAC, key, bytes("x"))), whole);
    EXPECT_EQ(must(session.sign(CKM_SHA384_HMAC, key, bytes("x"))).size(), 48U);
  }
}

TEST(Cmac, A34_IsNotShorterThanTwelveBytes) {
  TestToken token;
  auto& session = token.session();
  const auto key = must(session.create(signing(CKK_AES, core::Bytes(16, 7))));
  const auto whole = must(session.sign(CKM_AES_CMAC, key, bytes("message")));
  ASSERT_EQ(whole.size(), 16U);
  for (CK_ULONG length = 0; length <= 17; ++length) {
    const auto mechanism = with_number(CKM_AES_CMAC_GENERAL, length);
    const auto made = session.sign(mechanism, key, bytes("message"));
    if (length < 12 || length > 16) {
      EXPECT_THAT(made.rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID)) << length;
      continue;
    }
    EXPECT_EQ(made.value, core::Bytes(whole.begin(), whole.begin() + static_cast<long>(length)));
    EXPECT_THAT(session.verify(mechanism, key, bytes("message"), made.value), IsOk());
    EXPECT_THAT(session.verify(mechanism, key, bytes("massage"), made.value),
                ReturnsRv(CKR_SIGNATURE_INVALID));
  }
}

}  // namespace
}  // namespace tallystick::test
