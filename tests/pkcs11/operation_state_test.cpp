// C_GetOperationState and C_SetOperationState: digests without keys, and nothing else.
#include <gtest/gtest.h>

#include <array>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

class OperationStates : public ::testing::Test {
 protected:
  CK_RV start() {
    Mechanism sha(CKM_SHA256);
    return c_->C_DigestInit(s_, sha.get());
  }
  CK_RV feed(CK_SESSION_HANDLE session, core::Bytes data) {
    return c_->C_DigestUpdate(session, pointer(data), data.size());
  }
  core::Bytes finish(CK_SESSION_HANDLE session) {
    core::Bytes out(32);
    CK_ULONG size = out.size();
    must(c_->C_DigestFinal(session, out.data(), &size));
    return out;
  }
  Answer<core::Bytes> save(CK_SESSION_HANDLE session) {
    CK_ULONG size = 0;
    if (const auto rv = c_->C_GetOperationState(session, nullptr, &size); rv != CKR_OK) {
      return {rv, {}};
    }
    core::Bytes state(size);
    const auto rv = c_->C_GetOperationState(session, state.data(), &size);
    state.resize(size);
    return {rv, state};
  }
  CK_RV restore(CK_SESSION_HANDLE session, core::Bytes state, CK_OBJECT_HANDLE first = 0,
                CK_OBJECT_HANDLE second = 0) {
    return c_->C_SetOperationState(session, pointer(state), state.size(), first, second);
  }
  // By another session, whatever this one is doing.
  core::Bytes digest(core::Bytes data) {
    return must(Session(token_.functions(), token_.slot()).digest(CKM_SHA256, std::move(data)));
  }

  TestToken token_;
  CK_FUNCTION_LIST* c_ = token_.functions();
  CK_SESSION_HANDLE s_ = token_.handle();
  Session& session_ = token_.session();
};

TEST_F(OperationStates, ADigestGoesOnFromWhereItWasSavedAsOftenAsOneLikes) {
  must(start());
  must(feed(s_, bytes("to be ")));
  const auto state = must(save(s_));
  // The digest itself is not touched by being saved.
  must(feed(s_, bytes("or not")));
  EXPECT_EQ(finish(s_), digest(bytes("to be or not")));

  Session other(token_.functions(), token_.slot());
  for (const auto* const end : {"first", "second"}) {
    ASSERT_THAT(restore(other.handle(), state), IsOk());
    must(feed(other.handle(), bytes(end)));
    EXPECT_EQ(finish(other.handle()), digest(bytes(std::string("to be ") + end)));
  }
}

TEST_F(OperationStates, AStateTakenBeforeAnyDataStillServesInOnePiece) {
  must(start());
  const auto state = must(save(s_));
  Session other(token_.functions(), token_.slot());
  must(restore(other.handle(), state));
  auto data = bytes("abc");
  core::Bytes out(32);
  CK_ULONG size = out.size();
  EXPECT_THAT(c_->C_Digest(other.handle(), data.data(), data.size(), out.data(), &size), IsOk());
  EXPECT_EQ(out, must(other.digest(CKM_SHA256, data)));
  // Taken after some, it does not.
  must(feed(s_, bytes("a")));
  const auto later = must(save(s_));
  must(restore(other.handle(), later));
  EXPECT_THAT(c_->C_Digest(other.handle(), data.data(), data.size(), out.data(), &size),
              ReturnsRv(CKR_OPERATION_ACTIVE));
}

TEST_F(OperationStates, RestoringEndsWhatTheSessionWasDoing) {
  must(start());
  must(feed(s_, bytes("a")));
  const auto state = must(save(s_));
  must(feed(s_, bytes("b")));
  const auto key = generate_aes(session_);
  Gcm gcm(core::Bytes(12, 1));
  must(c_->C_EncryptInit(s_, gcm.get(), key));
  ASSERT_THAT(restore(s_, state), IsOk());
  std::array<CK_BYTE, 16> out{};
  CK_ULONG size = out.size();
  EXPECT_THAT(c_->C_EncryptFinal(s_, out.data(), &size), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  EXPECT_EQ(finish(s_), digest(bytes("a")));
}

TEST_F(OperationStates, AreReadInTwoStepsAndAShortBufferLosesNothing) {
  EXPECT_THAT(save(s_).rv, ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  must(start());
  must(feed(s_, bytes("a")));
  CK_ULONG size = 0;
  ASSERT_THAT(c_->C_GetOperationState(s_, nullptr, &size), IsOk());
  core::Bytes state(size, 0xEE);
  CK_ULONG less = size - 1;
  EXPECT_THAT(c_->C_GetOperationState(s_, state.data(), &less), ReturnsRv(CKR_BUFFER_TOO_SMALL));
  EXPECT_EQ(less, size);
  EXPECT_EQ(state, core::Bytes(size, 0xEE));
  EXPECT_THAT(c_->C_GetOperationState(s_, state.data(), nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_GetOperationState(s_, state.data(), &size), IsOk());
  EXPECT_EQ(finish(s_), digest(bytes("a")));
}

TEST_F(OperationStates, A49_OfKeysAreNotSaved) {
  const auto aes = generate_aes(session_);
  const auto pair = generate_ec(session_);
  Gcm gcm(core::Bytes(12, 1));
  Mechanism ecdsa(CKM_ECDSA_SHA256);
  auto* const v3 = token_.module().v3();
  auto* const v32 = token_.module().v32();
  core::Bytes signature(64);
  const std::vector<std::function<CK_RV()>> begins = {
      [&] { return c_->C_EncryptInit(s_, gcm.get(), aes); },
      [&] { return c_->C_DecryptInit(s_, gcm.get(), aes); },
      [&] { return c_->C_SignInit(s_, ecdsa.get(), pair.private_key); },
      [&] { return c_->C_VerifyInit(s_, ecdsa.get(), pair.public_key); },
      [&] { return v3->C_MessageSignInit(s_, ecdsa.get(), pair.private_key); },
      [&] { return v3->C_MessageVerifyInit(s_, ecdsa.get(), pair.public_key); },
      [&] {
        return v32->C_VerifySignatureInit(s_, ecdsa.get(), pair.public_key, signature.data(), 64);
      },
      [&] {
        GcmMessage message;
        auto mechanism = message.mechanism();
        return v3->C_MessageEncryptInit(s_, &mechanism, aes);
      },
      [&] {
        GcmMessage message;
        auto mechanism = message.mechanism();
        return v3->C_MessageDecryptInit(s_, &mechanism, aes);
      },
  };
  for (const auto& begin : begins) {
    must(begin());
    EXPECT_THAT(save(s_).rv, ReturnsRv(CKR_STATE_UNSAVEABLE));
    // Nor a digest beside one.
    must(start());
    EXPECT_THAT(save(s_).rv, ReturnsRv(CKR_STATE_UNSAVEABLE));
    must(v3->C_SessionCancel(s_, ~CK_FLAGS{0}));
    EXPECT_THAT(save(s_).rv, ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  }
}

TEST_F(OperationStates, A49_ADigestIntoWhichAKeyWentIsNotSaved) {
  const auto key = must(session_.create(secret_key(CKK_GENERIC_SECRET, core::Bytes(32, 7))
                                            .flag(CKA_SENSITIVE, false)
                                            .flag(CKA_EXTRACTABLE, true)));
  must(start());
  must(feed(s_, bytes("a")));
  // A key that is refused leaves the digest as it was.
  const auto hidden = generate_aes(session_);
  EXPECT_THAT(c_->C_DigestKey(s_, hidden), ReturnsRv(CKR_KEY_INDIGESTIBLE));
  EXPECT_THAT(save(s_).rv, IsOk());
  must(c_->C_DigestKey(s_, key));
  EXPECT_THAT(save(s_).rv, ReturnsRv(CKR_STATE_UNSAVEABLE));
  must(feed(s_, bytes("b")));
  EXPECT_THAT(save(s_).rv, ReturnsRv(CKR_STATE_UNSAVEABLE));
  auto whole = bytes("a");
  whole.insert(whole.end(), 32, 7);
  whole.push_back('b');
  EXPECT_EQ(finish(s_), digest(whole));
}

TEST_F(OperationStates, A49_AForgedOrForeignTicketRestoresNothing) {
  must(start());
  must(feed(s_, bytes("a")));
  const auto state = must(save(s_));
  const auto slot = make_token(token_.module(), "other");
  Session foreign(token_.functions(), slot);
  EXPECT_THAT(restore(foreign.handle(), state), ReturnsRv(CKR_SAVED_STATE_INVALID));

  Session other(token_.functions(), token_.slot());
  const auto o = other.handle();
  for (std::size_t i = 0; i < state.size(); ++i) {
    auto forged = state;
    forged[i] ^= 1U;
    EXPECT_THAT(restore(o, forged), ReturnsRv(CKR_SAVED_STATE_INVALID)) << i;
  }
  auto longer = state;
  longer.push_back(0);
  EXPECT_THAT(restore(o, longer), ReturnsRv(CKR_SAVED_STATE_INVALID));
  EXPECT_THAT(restore(o, core::Bytes(state.begin(), state.end() - 1)),
              ReturnsRv(CKR_SAVED_STATE_INVALID));
  EXPECT_THAT(restore(o, {}), ReturnsRv(CKR_SAVED_STATE_INVALID));
  EXPECT_THAT(c_->C_SetOperationState(o, nullptr, state.size(), 0, 0),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  // None of these has changed the session, nor the digest that was saved.
  EXPECT_THAT(save(o).rv, ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  EXPECT_EQ(finish(s_), digest(bytes("a")));
}

TEST_F(OperationStates, ADigestNeedsNoKey) {
  const auto key = generate_aes(session_);
  must(start());
  const auto state = must(save(s_));
  EXPECT_THAT(restore(s_, state, key, 0), ReturnsRv(CKR_KEY_NOT_NEEDED));
  EXPECT_THAT(restore(s_, state, 0, key), ReturnsRv(CKR_KEY_NOT_NEEDED));
  EXPECT_THAT(feed(s_, bytes("a")), IsOk());
  EXPECT_NE(token_.module().token_info(token_.slot()).flags & CKF_RESTORE_KEY_NOT_NEEDED, 0U);
}

TEST_F(OperationStates, TheOldestGoesWhenThereAreTooMany) {
  must(start());
  const auto first = must(save(s_));
  const auto second = must(save(s_));
  for (int i = 0; i < 1023; ++i) (void)must(save(s_));
  Session other(token_.functions(), token_.slot());
  EXPECT_THAT(restore(other.handle(), first), ReturnsRv(CKR_SAVED_STATE_INVALID));
  EXPECT_THAT(restore(other.handle(), second), IsOk());
}

}  // namespace
}  // namespace tallystick::test
