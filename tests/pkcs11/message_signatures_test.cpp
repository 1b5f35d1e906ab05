// C_MessageSign..., C_MessageVerify... (3.0), and signatures that come before the data (3.2).
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

class MessageSignatures : public ::testing::Test {
 protected:
  CK_RV sign_init(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key) {
    Mechanism mechanism(type);
    return v_->C_MessageSignInit(s_, mechanism.get(), key);
  }
  CK_RV verify_init(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key) {
    Mechanism mechanism(type);
    return v_->C_MessageVerifyInit(s_, mechanism.get(), key);
  }
  Answer<core::Bytes> sign(core::Bytes data) {
    core::Bytes out(128);
    CK_ULONG size = out.size();
    const auto rv =
        v_->C_SignMessage(s_, nullptr, 0, pointer(data), data.size(), out.data(), &size);
    out.resize(rv == CKR_OK ? size : 0);
    return {rv, out};
  }
  CK_RV verify(core::Bytes data, core::Bytes signature) {
    return v_->C_VerifyMessage(s_, nullptr, 0, pointer(data), data.size(), pointer(signature),
                               signature.size());
  }

  TestToken token_;
  CK_FUNCTION_LIST_3_2* v_ = token_.module().v32();
  CK_SESSION_HANDLE s_ = token_.handle();
  Session& session_ = token_.session();
};

TEST_F(MessageSignatures, SignAndVerifyMessageAfterMessage) {
  const auto pair = generate_ec(session_);
  const auto secret =
      generate_aes(session_, Attributes().flag(CKA_SIGN, true).flag(CKA_VERIFY, true));
  struct Case {
    CK_MECHANISM_TYPE type;
    CK_OBJECT_HANDLE signs;
    CK_OBJECT_HANDLE verifies;
  };
  for (const auto& one : {Case{CKM_ECDSA_SHA256, pair.private_key, pair.public_key},
                          Case{CKM_AES_CMAC, secret, secret}}) {
    must(sign_init(one.type, one.signs));
    must(verify_init(one.type, one.verifies));
    for (const auto* const text : {"first", "second", ""}) {
      const auto signature = must(sign(bytes(text)));
      EXPECT_THAT(session_.verify(one.type, one.verifies, bytes(text), signature), IsOk());
      EXPECT_THAT(verify(bytes(text), signature), IsOk());
      EXPECT_THAT(verify(bytes("other"), signature), ReturnsRv(CKR_SIGNATURE_INVALID));
      EXPECT_THAT(verify(bytes(text), core::Bytes(signature.size() - 1)),
                  ReturnsRv(CKR_SIGNATURE_LEN_RANGE));
    }
    EXPECT_THAT(v_->C_MessageSignFinal(s_), IsOk());
    EXPECT_THAT(v_->C_MessageVerifyFinal(s_), IsOk());
    EXPECT_THAT(v_->C_MessageSignFinal(s_), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
    EXPECT_THAT(v_->C_MessageVerifyFinal(s_), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  }
}

TEST_F(MessageSignatures, InPartsTheLastIsTheOneWithASignature) {
  const auto pair = generate_ec(session_);
  must(sign_init(CKM_ECDSA_SHA256, pair.private_key));
  must(verify_init(CKM_ECDSA_SHA256, pair.public_key));
  auto first = bytes("first ");
  auto last = bytes("last");
  core::Bytes signature(64);
  CK_ULONG size = signature.size();
  for (int round = 0; round < 2; ++round) {
    must(v_->C_SignMessageBegin(s_, nullptr, 0));
    must(v_->C_SignMessageNext(s_, nullptr, 0, first.data(), first.size(), nullptr, nullptr));
    EXPECT_THAT(v_->C_MessageSignFinal(s_), ReturnsRv(CKR_OPERATION_ACTIVE));
    EXPECT_THAT(sign(bytes("x")).rv, ReturnsRv(CKR_OPERATION_ACTIVE));
    // A question for the length takes nothing in.
    size = 0;
    must(v_->C_SignMessageNext(s_, nullptr, 0, last.data(), last.size(), nullptr, &size));
    EXPECT_EQ(size, 64U);
    size = 63;
    EXPECT_THAT(
        v_->C_SignMessageNext(s_, nullptr, 0, last.data(), last.size(), signature.data(), &size),
        ReturnsRv(CKR_BUFFER_TOO_SMALL));
    must(v_->C_SignMessageNext(s_, nullptr, 0, last.data(), last.size(), signature.data(), &size));
    EXPECT_THAT(session_.verify(CKM_ECDSA_SHA256, pair.public_key, bytes("first last"), signature),
                IsOk());
    EXPECT_THAT(
        v_->C_SignMessageNext(s_, nullptr, 0, last.data(), last.size(), signature.data(), &size),
        ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));

    must(v_->C_VerifyMessageBegin(s_, nullptr, 0));
    EXPECT_THAT(v_->C_VerifyMessageBegin(s_, nullptr, 0), ReturnsRv(CKR_OPERATION_ACTIVE));
    must(v_->C_VerifyMessageNext(s_, nullptr, 0, first.data(), first.size(), nullptr, 0));
    EXPECT_THAT(v_->C_VerifyMessageNext(s_, nullptr, 0, last.data(), last.size(), signature.data(),
                                        signature.size()),
                IsOk());
    must(v_->C_VerifyMessageBegin(s_, nullptr, 0));
    EXPECT_THAT(v_->C_VerifyMessageNext(s_, nullptr, 0, last.data(), last.size(), signature.data(),
                                        signature.size()),
                ReturnsRv(CKR_SIGNATURE_INVALID));
  }
}

TEST_F(MessageSignatures, AMechanismThatTakesOnePieceOnlySaysSo) {
  const auto pair = generate_ec(session_);
  must(sign_init(CKM_ECDSA, pair.private_key));
  EXPECT_THAT(sign(core::Bytes(32, 1)).rv, IsOk());
  must(v_->C_SignMessageBegin(s_, nullptr, 0));
  CK_BYTE byte = 1;
  EXPECT_THAT(v_->C_SignMessageNext(s_, nullptr, 0, &byte, 1, nullptr, nullptr),
              ReturnsRv(CKR_FUNCTION_NOT_SUPPORTED));
  // The message is over, the process is not.
  EXPECT_THAT(sign(core::Bytes(32, 1)).rv, IsOk());
}

TEST_F(MessageSignatures, RefuseWhatIsWrong) {
  const auto pair = generate_ec(session_);
  EXPECT_THAT(sign_init(CKM_ECDSA_SHA256, pair.public_key),
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  EXPECT_THAT(verify_init(CKM_ECDSA_SHA256, pair.private_key),
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  EXPECT_THAT(sign_init(CKM_SHA256, pair.private_key), ReturnsRv(CKR_MECHANISM_INVALID));
  CK_BYTE byte = 1;
  CK_MECHANISM with_parameter{CKM_ECDSA_SHA256, &byte, 1};
  EXPECT_THAT(v_->C_MessageSignInit(s_, &with_parameter, pair.private_key),
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  CK_ULONG size = 1;
  EXPECT_THAT(v_->C_SignMessage(s_, nullptr, 0, &byte, 1, &byte, &size),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  must(sign_init(CKM_ECDSA_SHA256, pair.private_key));
  must(verify_init(CKM_ECDSA_SHA256, pair.public_key));
  EXPECT_THAT(sign_init(CKM_ECDSA_SHA256, pair.private_key), ReturnsRv(CKR_OPERATION_ACTIVE));
  const auto bad = ReturnsRv(CKR_MECHANISM_PARAM_INVALID);
  size = 64;
  core::Bytes signature(64);
  EXPECT_THAT(v_->C_SignMessage(s_, &byte, 1, &byte, 1, signature.data(), &size), bad);
  EXPECT_THAT(v_->C_SignMessageBegin(s_, &byte, 1), bad);
  EXPECT_THAT(v_->C_VerifyMessage(s_, &byte, 1, &byte, 1, signature.data(), 64), bad);
  EXPECT_THAT(v_->C_VerifyMessageBegin(s_, &byte, 1), bad);
  EXPECT_THAT(v_->C_SignMessage(s_, nullptr, 0, nullptr, 1, signature.data(), &size),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v_->C_SignMessage(s_, nullptr, 0, &byte, 1, signature.data(), nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v_->C_VerifyMessage(s_, nullptr, 0, &byte, 1, nullptr, 64),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(sign(bytes("x")).rv, IsOk());
  must(v_->C_SessionCancel(s_, CKF_MESSAGE_SIGN));
  EXPECT_THAT(sign(bytes("x")).rv, ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  EXPECT_THAT(verify(bytes("x"), signature), ReturnsRv(CKR_SIGNATURE_INVALID));
  must(v_->C_SessionCancel(s_, CKF_MESSAGE_VERIFY));
  EXPECT_THAT(verify(bytes("x"), signature), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
}

TEST_F(MessageSignatures, OnePinServesAllMessagesOfAProcess) {
  const auto pair = generate_ec(session_, core::Curve::kP256, {},
                                Attributes().flag(CKA_ALWAYS_AUTHENTICATE, true));
  must(sign_init(CKM_ECDSA_SHA256, pair.private_key));
  EXPECT_THAT(sign(bytes("x")).rv, ReturnsRv(CKR_USER_NOT_LOGGED_IN));
  EXPECT_THAT(v_->C_SignMessageBegin(s_, nullptr, 0), ReturnsRv(CKR_USER_NOT_LOGGED_IN));
  must(session_.login(CKU_CONTEXT_SPECIFIC, kUserPin));
  EXPECT_THAT(sign(bytes("x")).rv, IsOk());
  EXPECT_THAT(sign(bytes("y")).rv, IsOk());
  must(v_->C_MessageSignFinal(s_));
  must(sign_init(CKM_ECDSA_SHA256, pair.private_key));
  EXPECT_THAT(sign(bytes("x")).rv, ReturnsRv(CKR_USER_NOT_LOGGED_IN));
  EXPECT_THAT(v_->C_MessageSignFinal(s_), IsOk());
}

TEST_F(MessageSignatures, A20_TheDeviceKeyRefusesMessagesOfTheProfileHereToo) {
  const auto keys =
      session_.find(Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY).text(CKA_LABEL, "device"));
  ASSERT_EQ(keys.size(), 1U);
  must(sign_init(CKM_ECDSA_SHA256, keys[0]));
  EXPECT_THAT(sign(bytes("hello")).rv, IsOk());
  EXPECT_THAT(sign(bytes("TSSW")).rv, ReturnsRv(CKR_DATA_INVALID));
  must(v_->C_SignMessageBegin(s_, nullptr, 0));
  CK_BYTE t = 'T';
  CK_BYTE s = 'S';
  must(v_->C_SignMessageNext(s_, nullptr, 0, &t, 1, nullptr, nullptr));
  EXPECT_THAT(v_->C_SignMessageNext(s_, nullptr, 0, &s, 1, nullptr, nullptr),
              ReturnsRv(CKR_DATA_INVALID));
}

// ---- Signatures that come first ----

using KnownSignatures = MessageSignatures;

TEST_F(KnownSignatures, VerifyInOnePieceAndInParts) {
  const auto pair = generate_ec(session_);
  auto data = bytes("the data");
  auto signature = must(session_.sign(CKM_ECDSA_SHA256, pair.private_key, data));
  Mechanism mechanism(CKM_ECDSA_SHA256);
  const auto init = [&] {
    return v_->C_VerifySignatureInit(s_, mechanism.get(), pair.public_key, signature.data(),
                                     signature.size());
  };
  must(init());
  EXPECT_THAT(init(), ReturnsRv(CKR_OPERATION_ACTIVE));
  EXPECT_THAT(v_->C_VerifySignature(s_, data.data(), data.size()), IsOk());
  EXPECT_THAT(v_->C_VerifySignature(s_, data.data(), data.size()),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  must(init());
  EXPECT_THAT(v_->C_VerifySignature(s_, data.data(), data.size() - 1),
              ReturnsRv(CKR_SIGNATURE_INVALID));
  EXPECT_THAT(v_->C_VerifySignature(s_, data.data(), data.size()),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));

  for (const bool right : {true, false}) {
    must(init());
    for (auto& byte : data) must(v_->C_VerifySignatureUpdate(s_, &byte, 1));
    EXPECT_THAT(v_->C_VerifySignature(s_, data.data(), data.size()),
                ReturnsRv(CKR_OPERATION_ACTIVE));
    if (!right) must(v_->C_VerifySignatureUpdate(s_, data.data(), 1));
    EXPECT_THAT(v_->C_VerifySignatureFinal(s_), ReturnsRv(right ? CKR_OK : CKR_SIGNATURE_INVALID));
    EXPECT_THAT(v_->C_VerifySignatureFinal(s_), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  }
  // What the caller does with its buffer afterwards does not matter (A65).
  must(init());
  const auto kept = signature;
  signature.assign(signature.size(), 0);
  EXPECT_THAT(v_->C_VerifySignature(s_, data.data(), data.size()), IsOk());
}

TEST_F(KnownSignatures, RefuseWhatIsWrong) {
  const auto pair = generate_ec(session_);
  core::Bytes signature(64);
  CK_BYTE byte = 1;
  Mechanism mechanism(CKM_ECDSA_SHA256);
  const auto init = [&](CK_OBJECT_HANDLE key, CK_BYTE* at, CK_ULONG size) {
    return v_->C_VerifySignatureInit(s_, mechanism.get(), key, at, size);
  };
  EXPECT_THAT(init(pair.private_key, signature.data(), 64),
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  EXPECT_THAT(init(pair.public_key, nullptr, 64), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(init(pair.public_key, &byte, 1UL << 40), ReturnsRv(CKR_SIGNATURE_LEN_RANGE));
  Mechanism digest(CKM_SHA256);
  EXPECT_THAT(v_->C_VerifySignatureInit(s_, digest.get(), pair.public_key, signature.data(), 64),
              ReturnsRv(CKR_MECHANISM_INVALID));
  EXPECT_THAT(v_->C_VerifySignatureUpdate(s_, &byte, 1), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  must(init(pair.public_key, signature.data(), 63));
  EXPECT_THAT(v_->C_VerifySignature(s_, nullptr, 1), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v_->C_VerifySignature(s_, &byte, 1), ReturnsRv(CKR_SIGNATURE_LEN_RANGE));
  must(init(pair.public_key, signature.data(), 64));
  EXPECT_THAT(v_->C_VerifySignatureInit(s_, nullptr, 0, nullptr, 0), IsOk());
  EXPECT_THAT(v_->C_VerifySignatureFinal(s_), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  // Beside C_VerifyInit it is an operation of its own; both end when verification is cancelled.
  must(init(pair.public_key, signature.data(), 64));
  must(v_->C_VerifyInit(s_, mechanism.get(), pair.public_key));
  must(v_->C_SessionCancel(s_, CKF_VERIFY));
  EXPECT_THAT(v_->C_VerifySignatureFinal(s_), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  EXPECT_THAT(v_->C_VerifyFinal(s_, signature.data(), 64),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
}

}  // namespace
}  // namespace tallystick::test
