// A61: every function with every pointer null. No crash, and an answer that says what is wrong.
#include <gtest/gtest.h>

#include <array>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

using ::testing::AnyOf;

class NullPointers : public ::testing::Test {
 protected:
  TestToken token_;
  CK_FUNCTION_LIST* c_ = token_.functions();
  CK_SESSION_HANDLE s_ = token_.handle();
  CK_BYTE byte_ = 0;
  CK_ULONG size_ = 1;
  CK_OBJECT_HANDLE object_ = 0;
};

TEST_F(NullPointers, A61_InTheGeneralFunctions) {
  EXPECT_THAT(c_->C_GetInfo(nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GetFunctionList(nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GetSlotList(CK_FALSE, nullptr, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GetSlotInfo(token_.slot(), nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GetTokenInfo(token_.slot(), nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GetMechanismList(token_.slot(), nullptr, nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GetMechanismInfo(token_.slot(), CKM_SHA256, nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_WaitForSlotEvent(CKF_DONT_BLOCK, nullptr, nullptr),
              AnyOf(ReturnsRv(CKR_ARGUMENTS_BAD), ReturnsRv(CKR_FUNCTION_NOT_SUPPORTED)));
}

TEST_F(NullPointers, A61_InTheFunctionsOfTokenSessionAndLogin) {
  const auto slot = token_.module().free_slot();
  std::array<CK_UTF8CHAR, 32> label{};
  std::array<CK_UTF8CHAR, 8> pin = {'1', '2', '3', '4', '5', '6', '7', '8'};
  EXPECT_THAT(c_->C_InitToken(slot, nullptr, 8, label.data()), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_InitToken(slot, pin.data(), pin.size(), nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_EQ(token_.module().token_info(slot).flags & CKF_TOKEN_INITIALIZED, 0U);
  EXPECT_THAT(c_->C_OpenSession(token_.slot(), CKF_SERIAL_SESSION, nullptr, nullptr, nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GetSessionInfo(s_, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_SetPIN(s_, nullptr, 8, pin.data(), 8), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_SetPIN(s_, pin.data(), 8, nullptr, 8), ReturnsRv(CKR_ARGUMENTS_BAD));
  must(token_.session().logout());
  EXPECT_THAT(c_->C_Login(s_, CKU_USER, nullptr, 8), ReturnsRv(CKR_ARGUMENTS_BAD));
  must(token_.session().login(CKU_SO, kSoPin));
  EXPECT_THAT(c_->C_InitPIN(s_, nullptr, 8), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GetOperationState(s_, nullptr, nullptr),
              AnyOf(ReturnsRv(CKR_ARGUMENTS_BAD), ReturnsRv(CKR_STATE_UNSAVEABLE),
                    ReturnsRv(CKR_OPERATION_NOT_INITIALIZED)));
  EXPECT_NE(c_->C_SetOperationState(s_, nullptr, 8, 0, 0), CKR_OK);
}

TEST_F(NullPointers, A61_InTheObjectFunctions) {
  const auto key = generate_aes(token_.session());
  EXPECT_THAT(c_->C_CreateObject(s_, nullptr, 1, &object_), ReturnsRv(CKR_ARGUMENTS_BAD));
  Attributes data;
  data.number(CKA_CLASS, CKO_DATA);
  EXPECT_THAT(c_->C_CreateObject(s_, data.data(), data.size(), nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_CopyObject(s_, key, nullptr, 1, &object_), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_CopyObject(s_, key, nullptr, 0, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GetObjectSize(s_, key, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GetAttributeValue(s_, key, nullptr, 1), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_SetAttributeValue(s_, key, nullptr, 1), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_FindObjectsInit(s_, nullptr, 1), ReturnsRv(CKR_ARGUMENTS_BAD));
  ASSERT_THAT(c_->C_FindObjectsInit(s_, nullptr, 0), IsOk());
  EXPECT_THAT(c_->C_FindObjects(s_, nullptr, 1, &size_), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_FindObjects(s_, &object_, 1, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_FindObjectsFinal(s_), IsOk());
}

TEST_F(NullPointers, A61_InAnAttributeWithALength) {
  CK_ATTRIBUTE bad{CKA_LABEL, nullptr, 5};
  CK_OBJECT_CLASS data_class = CKO_DATA;
  std::array<CK_ATTRIBUTE, 2> two = {{{CKA_CLASS, &data_class, sizeof data_class}, bad}};
  EXPECT_THAT(c_->C_CreateObject(s_, two.data(), two.size(), &object_),
              AnyOf(ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID), ReturnsRv(CKR_ARGUMENTS_BAD)));
  EXPECT_THAT(c_->C_FindObjectsInit(s_, &bad, 1),
              AnyOf(ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID), ReturnsRv(CKR_ARGUMENTS_BAD)));
}

TEST_F(NullPointers, A61_InTheCipherFunctions) {
  const auto key = generate_aes(token_.session());
  Gcm gcm(core::Bytes(12, 1));
  EXPECT_THAT(c_->C_EncryptUpdate(s_, &byte_, 1, &byte_, &size_),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  const auto refuses_null = [&](auto init, auto once, auto update, auto finish) {
    must(init(s_, gcm.get(), key));
    EXPECT_THAT(once(s_, nullptr, 1, &byte_, &size_), ReturnsRv(CKR_ARGUMENTS_BAD));
    (void)token_.module().v3()->C_SessionCancel(s_, CKF_ENCRYPT | CKF_DECRYPT);
    must(init(s_, gcm.get(), key));
    EXPECT_THAT(once(s_, &byte_, 1, nullptr, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
    (void)token_.module().v3()->C_SessionCancel(s_, CKF_ENCRYPT | CKF_DECRYPT);
    must(init(s_, gcm.get(), key));
    EXPECT_THAT(update(s_, nullptr, 1, &byte_, &size_), ReturnsRv(CKR_ARGUMENTS_BAD));
    (void)token_.module().v3()->C_SessionCancel(s_, CKF_ENCRYPT | CKF_DECRYPT);
    must(init(s_, gcm.get(), key));
    EXPECT_THAT(finish(s_, nullptr, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
    (void)token_.module().v3()->C_SessionCancel(s_, CKF_ENCRYPT | CKF_DECRYPT);
  };
  refuses_null(c_->C_EncryptInit, c_->C_Encrypt, c_->C_EncryptUpdate, c_->C_EncryptFinal);
  refuses_null(c_->C_DecryptInit, c_->C_Decrypt, c_->C_DecryptUpdate, c_->C_DecryptFinal);
}

TEST_F(NullPointers, A61_InTheDigestFunctions) {
  Mechanism sha(CKM_SHA256);
  const auto start = [&] {
    (void)token_.module().v3()->C_SessionCancel(s_, CKF_DIGEST);
    must(c_->C_DigestInit(s_, sha.get()));
  };
  start();
  EXPECT_THAT(c_->C_Digest(s_, nullptr, 1, &byte_, &size_), ReturnsRv(CKR_ARGUMENTS_BAD));
  start();
  EXPECT_THAT(c_->C_Digest(s_, &byte_, 1, nullptr, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  start();
  EXPECT_THAT(c_->C_DigestUpdate(s_, nullptr, 1), ReturnsRv(CKR_ARGUMENTS_BAD));
  start();
  EXPECT_THAT(c_->C_DigestFinal(s_, nullptr, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
}

TEST_F(NullPointers, A61_InTheSignatureFunctions) {
  const auto pair = generate_ec(token_.session());
  Mechanism ecdsa(CKM_ECDSA_SHA256);
  const auto start = [&] {
    (void)token_.module().v3()->C_SessionCancel(s_, CKF_SIGN | CKF_VERIFY);
    must(c_->C_SignInit(s_, ecdsa.get(), pair.private_key));
    must(c_->C_VerifyInit(s_, ecdsa.get(), pair.public_key));
  };
  start();
  EXPECT_THAT(c_->C_Sign(s_, nullptr, 1, &byte_, &size_), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_Verify(s_, nullptr, 1, &byte_, 1), ReturnsRv(CKR_ARGUMENTS_BAD));
  start();
  EXPECT_THAT(c_->C_Sign(s_, &byte_, 1, nullptr, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_Verify(s_, &byte_, 1, nullptr, 64), ReturnsRv(CKR_ARGUMENTS_BAD));
  start();
  EXPECT_THAT(c_->C_SignUpdate(s_, nullptr, 1), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_VerifyUpdate(s_, nullptr, 1), ReturnsRv(CKR_ARGUMENTS_BAD));
  start();
  must(c_->C_SignUpdate(s_, &byte_, 1));
  must(c_->C_VerifyUpdate(s_, &byte_, 1));
  EXPECT_THAT(c_->C_SignFinal(s_, nullptr, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_VerifyFinal(s_, nullptr, 64), ReturnsRv(CKR_ARGUMENTS_BAD));
}

TEST_F(NullPointers, A61_InTheKeyFunctions) {
  const auto key = generate_aes(token_.session());
  Mechanism gen(CKM_AES_KEY_GEN);
  Mechanism pair(CKM_EC_KEY_PAIR_GEN);
  Mechanism kwp(CKM_AES_KEY_WRAP_KWP);
  EXPECT_THAT(c_->C_GenerateKey(s_, nullptr, nullptr, 0, &object_), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GenerateKey(s_, gen.get(), nullptr, 1, &object_), ReturnsRv(CKR_ARGUMENTS_BAD));
  Attributes length;
  length.number(CKA_VALUE_LEN, 32);
  EXPECT_THAT(c_->C_GenerateKey(s_, gen.get(), length.data(), length.size(), nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  Attributes params;
  params.bytes(CKA_EC_PARAMS, ec_params(core::Curve::kP256));
  EXPECT_THAT(c_->C_GenerateKeyPair(s_, nullptr, nullptr, 0, nullptr, 0, &object_, &object_),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GenerateKeyPair(s_, pair.get(), nullptr, 1, nullptr, 0, &object_, &object_),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(
      c_->C_GenerateKeyPair(s_, pair.get(), params.data(), 1, nullptr, 1, &object_, &object_),
      ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(
      c_->C_GenerateKeyPair(s_, pair.get(), params.data(), 1, nullptr, 0, nullptr, &object_),
      ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(
      c_->C_GenerateKeyPair(s_, pair.get(), params.data(), 1, nullptr, 0, &object_, nullptr),
      ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_WrapKey(s_, nullptr, key, key, &byte_, &size_), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_WrapKey(s_, kwp.get(), key, key, &byte_, nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_UnwrapKey(s_, nullptr, key, &byte_, 1, nullptr, 0, &object_),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_UnwrapKey(s_, kwp.get(), key, nullptr, 24, nullptr, 0, &object_),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_UnwrapKey(s_, kwp.get(), key, &byte_, 1, nullptr, 1, &object_),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_UnwrapKey(s_, kwp.get(), key, &byte_, 1, nullptr, 0, nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_DeriveKey(s_, nullptr, key, nullptr, 0, &object_),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_DeriveKey(s_, gen.get(), key, nullptr, 1, &object_),
              AnyOf(ReturnsRv(CKR_ARGUMENTS_BAD), ReturnsRv(CKR_MECHANISM_INVALID)));
  EXPECT_THAT(c_->C_GenerateRandom(s_, nullptr, 8), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_SeedRandom(s_, nullptr, 8), ReturnsRv(CKR_ARGUMENTS_BAD));
}

TEST_F(NullPointers, A61_A64_InAMechanismsParameter) {
  const auto key = generate_aes(token_.session());
  CK_MECHANISM bad{CKM_AES_GCM, nullptr, sizeof(CK_GCM_PARAMS)};
  EXPECT_THAT(c_->C_EncryptInit(s_, &bad, key),
              AnyOf(ReturnsRv(CKR_MECHANISM_PARAM_INVALID), ReturnsRv(CKR_ARGUMENTS_BAD)));
  Gcm no_iv(core::Bytes(12, 1));
  {
    auto& [iv, iv_size, iv_bits, aad, aad_size, tag_bits] = no_iv.params();
    iv = nullptr;
  }
  EXPECT_THAT(c_->C_EncryptInit(s_, no_iv.get(), key), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  Gcm no_aad(core::Bytes(12, 1));
  {
    auto& [iv, iv_size, iv_bits, aad, aad_size, tag_bits] = no_aad.params();
    aad_size = 16;
  }
  EXPECT_THAT(c_->C_EncryptInit(s_, no_aad.get(), key), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  Gcm one_short(core::Bytes(12, 1));
  --one_short.get()->ulParameterLen;
  EXPECT_THAT(c_->C_EncryptInit(s_, one_short.get(), key), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  CK_MECHANISM with_parameter{CKM_SHA256, &byte_, 1};
  EXPECT_THAT(c_->C_DigestInit(s_, &with_parameter), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

// Empty input is no error: the pointer that goes with a length of 0 means nothing.
TEST_F(NullPointers, A61_WithALengthOfZeroAreEmptyInput) {
  Mechanism sha(CKM_SHA256);
  std::array<CK_BYTE, 32> out{};
  size_ = out.size();
  must(c_->C_DigestInit(s_, sha.get()));
  EXPECT_THAT(c_->C_Digest(s_, nullptr, 0, out.data(), &size_), IsOk());
  EXPECT_EQ(out[0], 0xE3);
  EXPECT_THAT(c_->C_GenerateRandom(s_, nullptr, 0), AnyOf(IsOk(), ReturnsRv(CKR_ARGUMENTS_BAD)));
  const auto key = generate_aes(token_.session());
  Gcm gcm(core::Bytes(12, 1));
  must(c_->C_EncryptInit(s_, gcm.get(), key));
  size_ = out.size();
  EXPECT_THAT(c_->C_Encrypt(s_, nullptr, 0, out.data(), &size_), IsOk());
  EXPECT_EQ(size_, 16U);
}

}  // namespace
}  // namespace tallystick::test
