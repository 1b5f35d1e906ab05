// A45, A48: handles that are stale, foreign or made up; objects that change under an operation.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

TEST(Handles, A45_RandomHandlesAreRefused) {
  TestToken token;
  const auto key = generate_aes(token.session());
  std::mt19937_64 random(1);
  CK_SESSION_INFO info{};
  CK_ULONG size = 0;
  for (int i = 0; i < 20000; ++i) {
    // Small numbers as often as large ones: real handles are small.
    const CK_ULONG handle = (i % 2) == 0 ? random() : random() % 4096;
    if (handle != token.handle()) {
      ASSERT_THAT(token->C_GetSessionInfo(handle, &info), ReturnsRv(CKR_SESSION_HANDLE_INVALID));
      ASSERT_THAT(token->C_GetObjectSize(handle, key, &size),
                  ReturnsRv(CKR_SESSION_HANDLE_INVALID));
    }
    if (handle > key) {
      ASSERT_THAT(token->C_GetObjectSize(token.handle(), handle, &size),
                  ReturnsRv(CKR_OBJECT_HANDLE_INVALID));
    }
  }
}

TEST(Handles, A45_HandleZeroIsNeverValid) {
  TestToken token;
  CK_SESSION_INFO info{};
  EXPECT_THAT(token->C_GetSessionInfo(0, &info), ReturnsRv(CKR_SESSION_HANDLE_INVALID));
  EXPECT_THAT(token.session().destroy(0), ReturnsRv(CKR_OBJECT_HANDLE_INVALID));
  Gcm gcm(core::Bytes(12, 1));
  EXPECT_THAT(token->C_EncryptInit(token.handle(), gcm.get(), 0),
              ReturnsRv(CKR_KEY_HANDLE_INVALID));
}

TEST(Handles, A45_HandlesAreNotUsedAgain) {
  TestToken token;
  std::set<CK_ULONG> seen;
  for (int i = 0; i < 200; ++i) {
    const auto object = data_object(token.session(), "x", i % 8 == 0, false);
    ASSERT_TRUE(seen.insert(object).second);
    must(token.session().destroy(object));
    ASSERT_THAT(token.session().destroy(object), ReturnsRv(CKR_OBJECT_HANDLE_INVALID));
  }
  std::set<CK_ULONG> sessions;
  for (int i = 0; i < 200; ++i) {
    const Session session(token.functions(), token.slot());
    ASSERT_TRUE(sessions.insert(session.handle()).second);
  }
}

TEST(Handles, A45_ThoseOfBeforeCFinalizeNameNothingAfterwards) {
  TestToken token;
  const auto object = data_object(token.session(), "x", true, false);
  const auto session = token.handle();
  token.restart_and_login();
  EXPECT_GT(token.handle(), std::max(object, session));
  for (const auto& found : token.session().find({})) EXPECT_GT(found, std::max(object, session));
}

TEST(Handles, A45_AnObjectOfOneTokenIsUnknownToTheOther) {
  TestToken token;
  const auto key = generate_aes(token.session());
  const auto kept = generate_aes(token.session(), Attributes().flag(CKA_TOKEN, true));
  Session other(token.functions(), make_token(token.module(), "other"));
  must(other.login(CKU_USER, kUserPin));
  Gcm gcm(core::Bytes(12, 1));
  EXPECT_THAT(other.encrypt(gcm, key, bytes("x")).rv, ReturnsRv(CKR_KEY_HANDLE_INVALID));
  EXPECT_THAT(other.destroy(kept), ReturnsRv(CKR_OBJECT_HANDLE_INVALID));
  EXPECT_TRUE(other.find(Attributes().number(CKA_KEY_TYPE, CKK_AES)).empty());
}

TEST(Handles, SessionObjectsEndWithTheirSessionAndAreSeenByTheOthersUntilThen) {
  TestToken token;
  CK_OBJECT_HANDLE object = 0;
  {
    Session second(token.functions(), token.slot());
    object = data_object(second, "short-lived", false, false);
    EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "short-lived")).size(), 1U);
    EXPECT_EQ(must(token.session().get(object, CKA_VALUE)), bytes("short-lived"));
  }
  EXPECT_TRUE(token.session().find(Attributes().text(CKA_LABEL, "short-lived")).empty());
  EXPECT_THAT(token.session().destroy(object), ReturnsRv(CKR_OBJECT_HANDLE_INVALID));
}

// One rule for all of them: an operation that was begun holds its own copy of the key.
TEST(Handles, A48_AKeyDestroyedBetweenInitAndTheCallDoesNotDisturbTheOperation) {
  TestToken token;
  const auto key = generate_aes(token.session());
  Gcm gcm(core::Bytes(12, 1));
  const auto before = must(token.session().encrypt(gcm, key, bytes("data")));
  must(token->C_EncryptInit(token.handle(), gcm.get(), key));
  must(token.session().destroy(key));
  core::Bytes out(64);
  CK_ULONG size = out.size();
  auto data = bytes("data");
  ASSERT_THAT(token->C_Encrypt(token.handle(), data.data(), data.size(), out.data(), &size),
              IsOk());
  out.resize(size);
  EXPECT_EQ(out, before);
  EXPECT_THAT(token->C_EncryptInit(token.handle(), gcm.get(), key),
              ReturnsRv(CKR_KEY_HANDLE_INVALID));
}

TEST(Handles, A48_AUseGivenUpBetweenInitAndTheCallCountsFromTheNextInit) {
  TestToken token;
  const auto pair = generate_ec(token.session());
  Mechanism ecdsa(CKM_ECDSA_SHA256);
  must(token->C_SignInit(token.handle(), ecdsa.get(), pair.private_key));
  must(token.session().set(pair.private_key, Attributes().flag(CKA_SIGN, false)));
  core::Bytes signature(64);
  CK_ULONG size = signature.size();
  auto data = bytes("data");
  ASSERT_THAT(token->C_Sign(token.handle(), data.data(), data.size(), signature.data(), &size),
              IsOk());
  EXPECT_THAT(token.session().verify(ecdsa, pair.public_key, data, signature), IsOk());
  EXPECT_THAT(token.session().sign(ecdsa, pair.private_key, data).rv,
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
}

TEST(Handles, A48_CallersMayChangeTheirParameterAfterInit) {
  TestToken token;
  const auto key = generate_aes(token.session());
  core::Bytes aad(16, 0xAA);
  Gcm fixed(core::Bytes(12, 1), aad);
  const auto expected = must(token.session().encrypt(fixed, key, bytes("data")));
  Gcm changing(core::Bytes(12, 1), aad);
  must(token->C_EncryptInit(token.handle(), changing.get(), key));
  const auto& [iv, iv_size, iv_bits, its_aad, aad_size, tag_bits] = changing.params();
  std::fill_n(iv, iv_size, CK_BYTE{0x77});
  std::fill_n(its_aad, aad_size, CK_BYTE{0x77});
  core::Bytes out(64);
  CK_ULONG size = out.size();
  auto data = bytes("data");
  must(token->C_Encrypt(token.handle(), data.data(), data.size(), out.data(), &size));
  out.resize(size);
  EXPECT_EQ(out, expected);
}

}  // namespace
}  // namespace tallystick::test
