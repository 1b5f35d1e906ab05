// C_WrapKeyAuthenticated and C_UnwrapKeyAuthenticated (3.2): AES-GCM with associated data.
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

Attributes secret(CK_KEY_TYPE type = CKK_AES) {
  return Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, type);
}

class WrapAuthenticated : public ::testing::Test {
 protected:
  Answer<core::Bytes> wrap(GcmMessage& message, CK_OBJECT_HANDLE kek, CK_OBJECT_HANDLE key,
                           core::Bytes aad = bytes("aad")) {
    auto mechanism = message.mechanism();
    CK_ULONG size = 0;
    auto rv = v_->C_WrapKeyAuthenticated(s_, &mechanism, kek, key, pointer(aad), aad.size(),
                                         nullptr, &size);
    if (rv != CKR_OK) return {rv, {}};
    core::Bytes blob(size);
    rv = v_->C_WrapKeyAuthenticated(s_, &mechanism, kek, key, pointer(aad), aad.size(),
                                    pointer(blob), &size);
    blob.resize(rv == CKR_OK ? size : 0);
    return {rv, blob};
  }
  Answer<CK_OBJECT_HANDLE> unwrap(GcmMessage& message, CK_OBJECT_HANDLE kek, core::Bytes blob,
                                  Attributes wanted, core::Bytes aad = bytes("aad")) {
    auto mechanism = message.mechanism();
    CK_OBJECT_HANDLE key = 0;
    const auto rv =
        v_->C_UnwrapKeyAuthenticated(s_, &mechanism, kek, pointer(blob), blob.size(), wanted.data(),
                                     wanted.size(), pointer(aad), aad.size(), &key);
    return {rv, key};
  }

  TestToken token_;
  CK_FUNCTION_LIST_3_2* v_ = token_.module().v32();
  CK_SESSION_HANDLE s_ = token_.handle();
  Session& session_ = token_.session();
};

TEST_F(WrapAuthenticated, AKeyComesBackTheSameWithATagAndAnIvOfTheTokens) {
  const auto kek = generate_aes(session_, wraps());
  const auto key = generate_aes(session_, extractable());
  GcmMessage message;
  const auto blob = must(wrap(message, kek, key));
  EXPECT_EQ(blob.size(), 32U);
  EXPECT_NE(message.iv(), core::Bytes(12));
  EXPECT_NE(message.tag(), core::Bytes(16));
  const auto back =
      must(unwrap(message, kek, blob, secret().flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true)));
  Gcm gcm(core::Bytes(12, 1));
  EXPECT_EQ(must(session_.encrypt(gcm, key, bytes("x"))),
            must(session_.encrypt(gcm, back, bytes("x"))));
  EXPECT_TRUE(session_.flag(back, CKA_SENSITIVE));
  EXPECT_FALSE(session_.flag(back, CKA_LOCAL));
  EXPECT_FALSE(session_.flag(back, CKA_ALWAYS_SENSITIVE));
  EXPECT_FALSE(session_.flag(back, CKA_NEVER_EXTRACTABLE));
}

TEST_F(WrapAuthenticated, APrivateKeyTravelsAsPkcs8) {
  const auto kek = generate_aes(session_, wraps());
  const auto pair = generate_ec(session_, core::Curve::kP256, {}, extractable());
  GcmMessage message;
  const auto blob = must(wrap(message, kek, pair.private_key));
  const auto back =
      must(unwrap(message, kek, blob,
                  Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY).number(CKA_KEY_TYPE, CKK_EC)));
  const auto signature = must(session_.sign(CKM_ECDSA_SHA256, back, bytes("x")));
  EXPECT_THAT(session_.verify(CKM_ECDSA_SHA256, pair.public_key, bytes("x"), signature), IsOk());
}

TEST_F(WrapAuthenticated, IsGcmThatAnyoneCanRead) {
  // A wrapping key whose value is known here: the SO vouches for it.
  const core::Bytes value(32, 3);
  const auto kek =
      must(session_.create(secret_key(CKK_AES, value).append(wraps()).flag(CKA_ENCRYPT, false)));
  const auto open = must(session_.create(secret_key(CKK_GENERIC_SECRET, bytes("sixteen bytes ..."))
                                             .flag(CKA_SENSITIVE, false)
                                             .append(extractable())));
  GcmMessage message;
  auto blob = must(wrap(message, kek, open));
  blob.insert(blob.end(), message.tag().begin(), message.tag().end());
  const auto reader = must(session_.create(secret_key(CKK_AES, value).flag(CKA_DECRYPT, true)));
  Gcm gcm(message.iv(), bytes("aad"));
  EXPECT_EQ(must(session_.decrypt(gcm, reader, blob)), bytes("sixteen bytes ..."));
}

TEST_F(WrapAuthenticated, A10_NothingButTheWholeComesIn) {
  const auto kek = generate_aes(session_, wraps());
  const auto key = generate_aes(session_, extractable());
  GcmMessage message;
  const auto blob = must(wrap(message, kek, key));
  const auto before = session_.find({}).size();
  const auto refused = ReturnsRv(CKR_WRAPPED_KEY_INVALID);
  for (std::size_t i = 0; i < blob.size(); ++i) {
    auto altered = blob;
    altered[i] ^= 0x80U;
    EXPECT_THAT(unwrap(message, kek, altered, secret()).rv, refused);
  }
  for (auto* const field : {&message.iv(), &message.tag()}) {
    for (auto& byte : *field) {
      byte ^= 1U;
      EXPECT_THAT(unwrap(message, kek, blob, secret()).rv, refused);
      byte ^= 1U;
    }
  }
  EXPECT_THAT(unwrap(message, kek, blob, secret(), bytes("aaD")).rv, refused);
  EXPECT_THAT(unwrap(message, kek, blob, secret(), {}).rv, refused);
  EXPECT_THAT(unwrap(message, kek, core::Bytes(blob.begin(), blob.end() - 1), secret()).rv,
              refused);
  EXPECT_THAT(unwrap(message, kek, {}, secret()).rv, ReturnsRv(CKR_WRAPPED_KEY_LEN_RANGE));
  const auto other = generate_aes(session_, wraps());
  EXPECT_THAT(unwrap(message, other, blob, secret()).rv, refused);
  EXPECT_THAT(unwrap(message, kek, blob, secret()).rv, IsOk());
  EXPECT_EQ(session_.find({}).size(), before + 2);
}

TEST_F(WrapAuthenticated, A33_EachWrappingHasAnIvOfItsOwnAndTheCallerHasNoSay) {
  const auto kek = generate_aes(session_, wraps());
  const auto key = generate_aes(session_, extractable());
  std::set<core::Bytes> seen;
  for (int i = 0; i < 200; ++i) {
    GcmMessage message(i % 2 == 0 ? CKG_GENERATE : CKG_GENERATE_RANDOM);
    must(wrap(message, kek, key).rv);
    EXPECT_TRUE(seen.insert(message.iv()).second);
  }
  for (const auto generator :
       {CKG_NO_GENERATE, CKG_GENERATE_COUNTER, CKG_GENERATE_COUNTER_XOR, 9UL}) {
    GcmMessage message(generator, core::Bytes(12, 0xAA));
    EXPECT_THAT(wrap(message, kek, key).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    EXPECT_EQ(message.iv(), core::Bytes(12, 0xAA));
    EXPECT_EQ(message.tag(), core::Bytes(16));
  }
  GcmMessage fixed(CKG_GENERATE, core::Bytes(12, 0xAA), 8);
  EXPECT_THAT(wrap(fixed, kek, key).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

TEST_F(WrapAuthenticated, A01_A12_TheRulesOfWrappingHoldHereToo) {
  GcmMessage message;
  const auto key = generate_aes(session_, extractable());
  const auto reads = generate_aes(session_, wraps().flag(CKA_DECRYPT, true));
  EXPECT_THAT(wrap(message, reads, key).rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  const auto weak = generate_aes(session_, wraps(), 16);
  EXPECT_THAT(wrap(message, weak, key).rv, ReturnsRv(CKR_WRAPPING_KEY_SIZE_RANGE));
  const auto kek = generate_aes(session_, wraps());
  EXPECT_THAT(wrap(message, kek, generate_aes(session_)).rv, ReturnsRv(CKR_KEY_UNEXTRACTABLE));
  EXPECT_THAT(wrap(message, kek, generate_aes(session_, wraps().append(extractable()))).rv,
              ReturnsRv(CKR_KEY_NOT_WRAPPABLE));
  EXPECT_THAT(wrap(message, key, key).rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  EXPECT_THAT(wrap(message, kek + 1000, key).rv, ReturnsRv(CKR_WRAPPING_KEY_HANDLE_INVALID));
  EXPECT_THAT(wrap(message, kek, key + 1000).rv, ReturnsRv(CKR_KEY_HANDLE_INVALID));
  const auto trusting = generate_aes(session_, extractable().flag(CKA_WRAP_WITH_TRUSTED, true));
  EXPECT_THAT(wrap(message, kek, trusting).rv, ReturnsRv(CKR_KEY_NOT_WRAPPABLE));
  const auto blob = must(wrap(message, kek, key));
  EXPECT_THAT(unwrap(message, key, blob, secret()).rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  EXPECT_THAT(unwrap(message, kek, blob, secret().flag(CKA_SENSITIVE, false)).rv,
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
}

TEST_F(WrapAuthenticated, WrongArgumentsAreRefused) {
  const auto kek = generate_aes(session_, wraps());
  const auto key = generate_aes(session_, extractable());
  GcmMessage message;
  auto mechanism = message.mechanism();
  CK_ULONG size = 32;
  CK_BYTE byte = 0;
  core::Bytes blob(32, 0xEE);
  EXPECT_THAT(v_->C_WrapKeyAuthenticated(s_, nullptr, kek, key, nullptr, 0, blob.data(), &size),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v_->C_WrapKeyAuthenticated(s_, &mechanism, kek, key, nullptr, 1, blob.data(), &size),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(
      v_->C_WrapKeyAuthenticated(s_, &mechanism, kek, key, nullptr, 0, blob.data(), nullptr),
      ReturnsRv(CKR_ARGUMENTS_BAD));
  size = 31;
  EXPECT_THAT(v_->C_WrapKeyAuthenticated(s_, &mechanism, kek, key, nullptr, 0, blob.data(), &size),
              ReturnsRv(CKR_BUFFER_TOO_SMALL));
  EXPECT_EQ(size, 32U);
  const auto refused = ReturnsRv(CKR_MECHANISM_PARAM_INVALID);
  core::Bytes longer(GcmMessage::size() + 1);
  std::memcpy(longer.data(), mechanism.pParameter, GcmMessage::size());
  for (const CK_ULONG length : {0UL, GcmMessage::size() - 1, GcmMessage::size() + 1, ~0UL}) {
    mechanism.pParameter = longer.data();
    mechanism.ulParameterLen = length;
    EXPECT_THAT(
        v_->C_WrapKeyAuthenticated(s_, &mechanism, kek, key, nullptr, 0, blob.data(), &size),
        refused);
  }
  mechanism = {CKM_AES_GCM, nullptr, GcmMessage::size()};
  EXPECT_THAT(v_->C_WrapKeyAuthenticated(s_, &mechanism, kek, key, nullptr, 0, blob.data(), &size),
              refused);
  message.params().ulTagBits = 96;
  mechanism = message.mechanism();
  EXPECT_THAT(v_->C_WrapKeyAuthenticated(s_, &mechanism, kek, key, nullptr, 0, blob.data(), &size),
              refused);
  EXPECT_EQ(blob, core::Bytes(32, 0xEE));
  mechanism.mechanism = CKM_AES_KEY_WRAP_KWP;
  EXPECT_THAT(v_->C_WrapKeyAuthenticated(s_, &mechanism, kek, key, nullptr, 0, blob.data(), &size),
              ReturnsRv(CKR_MECHANISM_INVALID));
  CK_OBJECT_HANDLE back = 77;
  EXPECT_THAT(v_->C_UnwrapKeyAuthenticated(s_, &mechanism, kek, blob.data(), 32, nullptr, 0,
                                           nullptr, 0, &back),
              ReturnsRv(CKR_MECHANISM_INVALID));
  mechanism.mechanism = CKM_AES_GCM;
  EXPECT_THAT(
      v_->C_UnwrapKeyAuthenticated(s_, &mechanism, kek, nullptr, 32, nullptr, 0, nullptr, 0, &back),
      ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(
      v_->C_UnwrapKeyAuthenticated(s_, &mechanism, kek, &byte, 1, nullptr, 0, nullptr, 5, &back),
      ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(
      v_->C_UnwrapKeyAuthenticated(s_, &mechanism, kek, &byte, 1, nullptr, 1, nullptr, 0, &back),
      ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_EQ(back, 77U);
}

}  // namespace
}  // namespace tallystick::test
