// C_MessageEncrypt..., C_MessageDecrypt...: AES-GCM message after message, with nonces that the
// token makes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

class Messages : public ::testing::Test {
 protected:
  CK_RV encrypt_init(CK_OBJECT_HANDLE key) { return encrypt_init(s_, key); }
  CK_RV encrypt_init(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
    CK_MECHANISM gcm{CKM_AES_GCM, nullptr, 0};
    return v_->C_MessageEncryptInit(session, &gcm, key);
  }
  CK_RV decrypt_init(CK_OBJECT_HANDLE key) {
    CK_MECHANISM gcm{CKM_AES_GCM, nullptr, 0};
    return v_->C_MessageDecryptInit(s_, &gcm, key);
  }
  Answer<core::Bytes> encrypt(GcmMessage& message, core::Bytes data, core::Bytes aad = {}) {
    return encrypt(s_, message, std::move(data), std::move(aad));
  }
  Answer<core::Bytes> encrypt(CK_SESSION_HANDLE session, GcmMessage& message, core::Bytes data,
                              core::Bytes aad = {}) {
    core::Bytes out(data.size() + 8);
    CK_ULONG size = out.size();
    const auto rv = v_->C_EncryptMessage(session, message.get(), GcmMessage::size(), pointer(aad),
                                         aad.size(), pointer(data), data.size(), out.data(), &size);
    out.resize(rv == CKR_OK ? size : 0);
    return {rv, out};
  }
  Answer<core::Bytes> decrypt(GcmMessage& message, core::Bytes data, core::Bytes aad = {}) {
    core::Bytes out(data.size() + 8, 0xEE);
    CK_ULONG size = out.size();
    const auto rv = v_->C_DecryptMessage(s_, message.get(), GcmMessage::size(), pointer(aad),
                                         aad.size(), pointer(data), data.size(), out.data(), &size);
    if (rv != CKR_OK) {
      EXPECT_EQ(out, core::Bytes(out.size(), 0xEE)) << "plaintext without its tag";
    }
    out.resize(rv == CKR_OK ? size : 0);
    return {rv, out};
  }
  // The last 8 bytes of an IV as a number.
  static std::uint64_t tail(const core::Bytes& iv) {
    std::uint64_t number = 0;
    for (std::size_t i = iv.size() - 8; i < iv.size(); ++i) number = number << 8U | iv[i];
    return number;
  }

  TestToken token_;
  CK_FUNCTION_LIST_3_0* v_ = token_.module().v3();
  CK_SESSION_HANDLE s_ = token_.handle();
  Session& session_ = token_.session();
};

TEST_F(Messages, WithTheCallersIvAreWhatCEncryptGives) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  for (const std::size_t size : {0U, 1U, 16U, 1000U}) {
    GcmMessage message(CKG_NO_GENERATE, core::Bytes(12, static_cast<std::uint8_t>(size)));
    auto sealed = must(encrypt(message, core::Bytes(size, 7), bytes("aad")));
    EXPECT_EQ(sealed.size(), size);
    sealed.insert(sealed.end(), message.tag().begin(), message.tag().end());
    Gcm gcm(core::Bytes(12, static_cast<std::uint8_t>(size)), bytes("aad"));
    EXPECT_EQ(sealed, must(session_.encrypt(gcm, key, core::Bytes(size, 7))));
  }
  EXPECT_THAT(v_->C_MessageEncryptFinal(s_), IsOk());
  EXPECT_THAT(v_->C_MessageEncryptFinal(s_), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
}

TEST_F(Messages, ComeBackAndTheProcessGoesOnUntilItIsEnded) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  must(decrypt_init(key));
  for (const auto generator : {CKG_GENERATE, CKG_GENERATE_RANDOM, CKG_GENERATE}) {
    GcmMessage message(generator);
    const auto sealed = must(encrypt(message, bytes("the data"), bytes("aad")));
    EXPECT_EQ(must(decrypt(message, sealed, bytes("aad"))), bytes("the data"));
  }
  EXPECT_THAT(v_->C_MessageDecryptFinal(s_), IsOk());
  GcmMessage message;
  EXPECT_THAT(decrypt(message, bytes("x")).rv, ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
}

TEST_F(Messages, A33_RandomIvsAreNeverTheSame) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  std::set<core::Bytes> seen;
  for (int i = 0; i < 2000; ++i) {
    GcmMessage message(CKG_GENERATE, core::Bytes(i % 2 == 0 ? 12U : 16U, 0xAA),
                       i % 2 == 0 ? 0U : 32U);
    must(encrypt(message, bytes("x")).rv);
    if (i % 2 != 0) {
      EXPECT_TRUE(std::all_of(message.iv().begin(), message.iv().begin() + 4,
                              [](auto byte) { return byte == 0xAA; }));
    }
    EXPECT_TRUE(seen.insert(message.iv()).second);
  }
}

TEST_F(Messages, A33_RandomIvsWithTooFewRandomBitsAreRefused) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  for (const auto generator : {CKG_GENERATE, CKG_GENERATE_RANDOM}) {
    GcmMessage one_bit(generator, core::Bytes(12, 0xAA), 1);
    EXPECT_THAT(encrypt(one_bit, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    GcmMessage all(generator, core::Bytes(12, 0xAA), 96);
    EXPECT_THAT(encrypt(all, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    GcmMessage more(generator, core::Bytes(12, 0xAA), ~0UL);
    EXPECT_THAT(encrypt(more, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    GcmMessage shorter(generator, core::Bytes(11, 0xAA));
    EXPECT_THAT(encrypt(shorter, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    EXPECT_EQ(shorter.iv(), core::Bytes(11, 0xAA));
  }
}

TEST_F(Messages, A33_CountedIvsBeginAtZeroAndGoOnAcrossOperationsSessionsAndCopies) {
  const auto key = generate_aes(session_);
  const auto copy = must(session_.copy(key, {}));
  Session other(token_.functions(), token_.slot());
  std::uint64_t expected = 0;
  const auto one = [&](CK_SESSION_HANDLE session) {
    GcmMessage message(CKG_GENERATE_COUNTER, core::Bytes(12, 0xAA), 32);
    must(encrypt(session, message, bytes("x")).rv);
    EXPECT_EQ(tail(message.iv()), expected);
    ++expected;
    EXPECT_TRUE(std::all_of(message.iv().begin(), message.iv().begin() + 4,
                            [](auto byte) { return byte == 0xAA; }));
  };
  must(encrypt_init(s_, key));
  one(s_);
  one(s_);
  must(encrypt_init(other.handle(), key));
  one(other.handle());
  one(s_);
  must(v_->C_MessageEncryptFinal(s_));
  must(encrypt_init(s_, copy));
  one(s_);
  // A change of the key's attributes makes a new snapshot of the same value.
  must(session_.set(key, Attributes().text(CKA_LABEL, "renamed")));
  must(v_->C_MessageEncryptFinal(s_));
  must(encrypt_init(s_, key));
  one(s_);
  EXPECT_EQ(expected, 6U);
}

TEST_F(Messages, A33_TheFixedBitsOfACountedIvAreExact) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  GcmMessage message(CKG_GENERATE_COUNTER, core::Bytes(12, 0xFF), 37);
  must(encrypt(message, bytes("x")).rv);
  const core::Bytes expected = {0xFF, 0xFF, 0xFF, 0xFF, 0xF8, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(message.iv(), expected);
  must(encrypt(message, bytes("x")).rv);
  EXPECT_EQ(message.iv().back(), 1U);
  EXPECT_EQ(message.iv()[4], 0xF8);
}

TEST_F(Messages, A33_XorCountedIvsKeepTheirBase) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  const core::Bytes base = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  for (std::uint8_t i = 0; i < 4; ++i) {
    GcmMessage message(CKG_GENERATE_COUNTER_XOR, base, 32);
    must(encrypt(message, bytes("x")).rv);
    auto expected = base;
    expected.back() ^= i;
    EXPECT_EQ(message.iv(), expected);
  }
  // Another base could meet an IV that was used.
  auto changed = base;
  changed.back() ^= 1U;
  GcmMessage message(CKG_GENERATE_COUNTER_XOR, changed, 32);
  EXPECT_THAT(encrypt(message, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_EQ(message.iv(), changed);
}

TEST_F(Messages, A33_AKeysIvsAreCountedInOneShapeOnly) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  GcmMessage first(CKG_GENERATE_COUNTER, core::Bytes(12), 32);
  must(encrypt(first, bytes("x")).rv);
  GcmMessage other_bits(CKG_GENERATE_COUNTER, core::Bytes(12), 40);
  EXPECT_THAT(encrypt(other_bits, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  GcmMessage other_size(CKG_GENERATE_COUNTER, core::Bytes(16), 32);
  EXPECT_THAT(encrypt(other_size, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  GcmMessage other_kind(CKG_GENERATE_COUNTER_XOR, core::Bytes(12), 32);
  EXPECT_THAT(encrypt(other_kind, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  GcmMessage again(CKG_GENERATE_COUNTER, core::Bytes(12), 32);
  must(encrypt(again, bytes("x")).rv);
  EXPECT_EQ(tail(again.iv()), 1U);
}

TEST_F(Messages, A33_ACounterThatIsFullIsNotBegunAgain) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  for (int i = 0; i < 256; ++i) {
    GcmMessage message(CKG_GENERATE_COUNTER, core::Bytes(12, 0xAA), 88);
    must(encrypt(message, bytes("x")).rv);
    EXPECT_EQ(message.iv().back(), i);
  }
  for (int i = 0; i < 2; ++i) {
    GcmMessage message(CKG_GENERATE_COUNTER, core::Bytes(12, 0xAA), 88);
    EXPECT_THAT(encrypt(message, bytes("x")).rv, ReturnsRv(CKR_KEY_EXHAUSTED));
    EXPECT_EQ(message.iv(), core::Bytes(12, 0xAA));
    EXPECT_EQ(message.tag(), core::Bytes(16));
  }
}

TEST_F(Messages, A33_TokenKeysTakeRandomIvsOnly) {
  const auto key = generate_aes(session_, Attributes().flag(CKA_TOKEN, true));
  must(encrypt_init(key));
  for (const auto generator : {CKG_GENERATE_COUNTER, CKG_GENERATE_COUNTER_XOR}) {
    GcmMessage message(generator, core::Bytes(12, 0xAA), 32);
    EXPECT_THAT(encrypt(message, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
  GcmMessage message(CKG_GENERATE);
  EXPECT_THAT(encrypt(message, bytes("x")).rv, IsOk());
}

TEST_F(Messages, A34_OnlyWholeTagsAreMadeAndTaken) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  must(decrypt_init(key));
  for (const CK_ULONG bits : {0UL, 8UL, 32UL, 64UL, 96UL, 120UL, 127UL, 129UL, 256UL, ~0UL}) {
    GcmMessage message;
    message.params().ulTagBits = bits;
    EXPECT_THAT(encrypt(message, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID)) << bits;
    EXPECT_THAT(decrypt(message, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID)) << bits;
  }
}

TEST_F(Messages, A61_A64_WrongParametersAreRefusedAndCostNoNumber) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  auto data = bytes("x");
  core::Bytes out(8);
  CK_ULONG size = out.size();
  const auto with = [&](void* parameter, CK_ULONG length) {
    size = out.size();
    return v_->C_EncryptMessage(s_, parameter, length, nullptr, 0, data.data(), data.size(),
                                out.data(), &size);
  };
  GcmMessage message(CKG_GENERATE_COUNTER);
  const auto refused = ReturnsRv(CKR_MECHANISM_PARAM_INVALID);
  EXPECT_THAT(with(nullptr, GcmMessage::size()), refused);
  EXPECT_THAT(with(nullptr, 0), refused);
  EXPECT_THAT(with(message.get(), 0), refused);
  EXPECT_THAT(with(message.get(), GcmMessage::size() - 1), refused);
  EXPECT_THAT(with(message.get(), GcmMessage::size() + 1), refused);
  EXPECT_THAT(with(message.get(), ~0UL), refused);
  const auto altered = [&](auto alter) {
    GcmMessage other(CKG_GENERATE_COUNTER);
    alter(other.params());
    return with(other.get(), GcmMessage::size());
  };
  EXPECT_THAT(altered([](auto& params) { params.pIv = nullptr; }), refused);
  EXPECT_THAT(altered([](auto& params) { params.pTag = nullptr; }), refused);
  EXPECT_THAT(altered([](auto& params) { params.ulIvLen = 0; }), refused);
  EXPECT_THAT(altered([](auto& params) { params.ulIvLen = 129; }), refused);
  EXPECT_THAT(altered([](auto& params) { params.ulIvLen = ~0UL; }), refused);
  EXPECT_THAT(altered([](auto& params) { params.ivGenerator = 5; }), refused);
  EXPECT_THAT(altered([](auto& params) { params.ulIvFixedBits = 97; }), refused);
  EXPECT_THAT(v_->C_EncryptMessage(s_, message.get(), GcmMessage::size(), nullptr, 1, data.data(),
                                   data.size(), out.data(), &size),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v_->C_EncryptMessage(s_, message.get(), GcmMessage::size(), nullptr, 0, nullptr, 1,
                                   out.data(), &size),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v_->C_EncryptMessage(s_, message.get(), GcmMessage::size(), nullptr, 0, data.data(),
                                   data.size(), out.data(), nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  // A question for the length and a short buffer cost none either.
  EXPECT_THAT(v_->C_EncryptMessage(s_, message.get(), GcmMessage::size(), nullptr, 0, data.data(),
                                   data.size(), nullptr, &size),
              IsOk());
  EXPECT_EQ(size, 1U);
  size = 0;
  EXPECT_THAT(v_->C_EncryptMessage(s_, message.get(), GcmMessage::size(), nullptr, 0, data.data(),
                                   data.size(), out.data(), &size),
              ReturnsRv(CKR_BUFFER_TOO_SMALL));
  must(encrypt(message, data).rv);
  EXPECT_EQ(tail(message.iv()), 0U);
}

TEST_F(Messages, InPartsAreWhatTheyAreInOnePiece) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  const auto data = core::Bytes(100, 9);
  auto aad = bytes("aad");
  GcmMessage message(CKG_GENERATE);
  must(v_->C_EncryptMessageBegin(s_, message.get(), GcmMessage::size(), aad.data(), aad.size()));
  const auto iv = message.iv();
  EXPECT_NE(iv, core::Bytes(12));
  core::Bytes sealed;
  for (std::size_t at = 0; at < data.size(); at += 30) {
    core::Bytes part(data.begin() + static_cast<std::ptrdiff_t>(at),
                     data.begin() + static_cast<std::ptrdiff_t>(std::min(at + 30, data.size())));
    const bool last = at + 30 >= data.size();
    CK_ULONG size = part.size();
    // In place, as the standard allows.
    must(v_->C_EncryptMessageNext(s_, message.get(), GcmMessage::size(), part.data(), part.size(),
                                  part.data(), &size, last ? CKF_END_OF_MESSAGE : 0));
    EXPECT_EQ(size, part.size());
    sealed.insert(sealed.end(), part.begin(), part.end());
    if (!last) {
      EXPECT_EQ(message.tag(), core::Bytes(16));
    }
  }
  EXPECT_EQ(message.iv(), iv);
  GcmMessage again(CKG_NO_GENERATE, iv);
  EXPECT_EQ(must(encrypt(again, data, aad)), sealed);
  EXPECT_EQ(again.tag(), message.tag());

  // Decryption gives everything at the end.
  must(decrypt_init(key));
  must(v_->C_DecryptMessageBegin(s_, message.get(), GcmMessage::size(), aad.data(), aad.size()));
  CK_ULONG size = 0;
  must(v_->C_DecryptMessageNext(s_, message.get(), GcmMessage::size(), sealed.data(), 60, nullptr,
                                &size, 0));
  EXPECT_EQ(size, 0U);
  must(v_->C_DecryptMessageNext(s_, message.get(), GcmMessage::size(), sealed.data() + 60, 40,
                                nullptr, &size, CKF_END_OF_MESSAGE));
  EXPECT_EQ(size, 100U);
  core::Bytes out(100);
  size = 99;
  EXPECT_THAT(v_->C_DecryptMessageNext(s_, message.get(), GcmMessage::size(), sealed.data() + 60,
                                       40, out.data(), &size, CKF_END_OF_MESSAGE),
              ReturnsRv(CKR_BUFFER_TOO_SMALL));
  EXPECT_EQ(size, 100U);
  must(v_->C_DecryptMessageNext(s_, message.get(), GcmMessage::size(), sealed.data() + 60, 40,
                                out.data(), &size, CKF_END_OF_MESSAGE));
  EXPECT_EQ(out, data);
  EXPECT_THAT(v_->C_DecryptMessageNext(s_, message.get(), GcmMessage::size(), sealed.data(), 1,
                                       out.data(), &size, CKF_END_OF_MESSAGE),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
}

TEST_F(Messages, A35_NothingComesOutBeforeTheTagWasChecked) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  must(decrypt_init(key));
  for (const std::size_t size : {1U, 100000U}) {
    GcmMessage message;
    const auto sealed = must(encrypt(message, core::Bytes(size, 5), bytes("aad")));
    for (std::size_t i = 0; i < message.tag().size(); ++i) {
      message.tag()[i] ^= 1U;
      EXPECT_THAT(decrypt(message, sealed, bytes("aad")).rv, ReturnsRv(CKR_AEAD_DECRYPT_FAILED));
      message.tag()[i] ^= 1U;
    }
    EXPECT_THAT(decrypt(message, sealed, bytes("aaD")).rv, ReturnsRv(CKR_AEAD_DECRYPT_FAILED));
    auto altered = sealed;
    altered.back() ^= 1U;
    EXPECT_THAT(decrypt(message, altered, bytes("aad")).rv, ReturnsRv(CKR_AEAD_DECRYPT_FAILED));
    message.iv()[0] ^= 1U;
    EXPECT_THAT(decrypt(message, sealed, bytes("aad")).rv, ReturnsRv(CKR_AEAD_DECRYPT_FAILED));
    message.iv()[0] ^= 1U;
    // A failure ends the message and not the process.
    EXPECT_EQ(must(decrypt(message, sealed, bytes("aad"))), core::Bytes(size, 5));

    // By parts.
    auto aad = bytes("aad");
    message.tag()[3] ^= 1U;
    must(v_->C_DecryptMessageBegin(s_, message.get(), GcmMessage::size(), aad.data(), aad.size()));
    auto part = sealed;
    core::Bytes out(size, 0xEE);
    CK_ULONG written = out.size();
    EXPECT_THAT(v_->C_DecryptMessageNext(s_, message.get(), GcmMessage::size(), part.data(),
                                         part.size(), out.data(), &written, CKF_END_OF_MESSAGE),
                ReturnsRv(CKR_AEAD_DECRYPT_FAILED));
    EXPECT_EQ(out, core::Bytes(size, 0xEE));
    message.tag()[3] ^= 1U;
    EXPECT_EQ(must(decrypt(message, sealed, bytes("aad"))), core::Bytes(size, 5));
  }
}

TEST_F(Messages, A60_A67_TextsAndAssociatedDataHaveLimits) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  must(decrypt_init(key));
  GcmMessage message;
  const core::Bytes most_aad(1UL << 20U);
  const core::Bytes more_aad((1UL << 20U) + 1);
  const auto sealed = must(encrypt(message, bytes("x"), most_aad));
  EXPECT_EQ(must(decrypt(message, sealed, most_aad)), bytes("x"));
  EXPECT_THAT(encrypt(message, bytes("x"), more_aad).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_THAT(decrypt(message, sealed, more_aad).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));

  // Of these lengths only that of the output is asked; the memory is never touched.
  CK_BYTE byte = 0;
  CK_ULONG size = 0;
  for (const CK_ULONG length : {1UL << 30U, (1UL << 30U) + 1, 1UL << 32U, 1UL << 46U}) {
    const bool fits = length == 1UL << 30U;
    EXPECT_THAT(v_->C_EncryptMessage(s_, message.get(), GcmMessage::size(), nullptr, 0, &byte,
                                     length, nullptr, &size),
                fits ? IsOk() : ReturnsRv(CKR_DATA_LEN_RANGE));
    EXPECT_THAT(v_->C_DecryptMessage(s_, message.get(), GcmMessage::size(), nullptr, 0, &byte,
                                     length, nullptr, &size),
                fits ? IsOk() : ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
  }
  // What is held until the tag was seen.
  core::Bytes held(64UL << 20U);
  must(v_->C_DecryptMessageBegin(s_, message.get(), GcmMessage::size(), nullptr, 0));
  const auto next = [&](CK_BYTE* data, CK_ULONG length) {
    return v_->C_DecryptMessageNext(s_, message.get(), GcmMessage::size(), data, length, &byte,
                                    &size, 0);
  };
  EXPECT_THAT(next(held.data(), held.size()), IsOk());
  EXPECT_THAT(next(&byte, 1), ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
  // The message has ended and the process goes on.
  EXPECT_EQ(must(decrypt(message, sealed, most_aad)), bytes("x"));
}

TEST_F(Messages, OfAnEmptyTextHaveATagAllTheSame) {
  const auto key = generate_aes(session_);
  must(encrypt_init(key));
  must(decrypt_init(key));
  GcmMessage message;
  EXPECT_TRUE(must(encrypt(message, {}, bytes("aad"))).empty());
  EXPECT_TRUE(must(decrypt(message, {}, bytes("aad"))).empty());
  EXPECT_THAT(decrypt(message, {}, bytes("other")).rv, ReturnsRv(CKR_AEAD_DECRYPT_FAILED));
}

TEST_F(Messages, GoInOrder) {
  const auto key = generate_aes(session_);
  GcmMessage message(CKG_GENERATE);
  CK_BYTE byte = 1;
  CK_ULONG size = 1;
  const auto begin = [&] {
    return v_->C_EncryptMessageBegin(s_, message.get(), GcmMessage::size(), nullptr, 0);
  };
  const auto next = [&](CK_FLAGS flags) {
    size = 1;
    return v_->C_EncryptMessageNext(s_, message.get(), GcmMessage::size(), &byte, 1, &byte, &size,
                                    flags);
  };
  const auto absent = ReturnsRv(CKR_OPERATION_NOT_INITIALIZED);
  const auto active = ReturnsRv(CKR_OPERATION_ACTIVE);
  EXPECT_THAT(begin(), absent);
  EXPECT_THAT(next(0), absent);
  must(encrypt_init(key));
  EXPECT_THAT(encrypt_init(key), active);
  EXPECT_THAT(next(0), absent);
  EXPECT_THAT(next(CKF_END_OF_MESSAGE), absent);
  must(begin());
  EXPECT_THAT(begin(), active);
  EXPECT_THAT(encrypt(message, bytes("x")).rv, active);
  EXPECT_THAT(v_->C_MessageEncryptFinal(s_), active);
  EXPECT_THAT(next(2), ReturnsRv(CKR_ARGUMENTS_BAD));
  must(next(0));
  must(next(CKF_END_OF_MESSAGE));
  EXPECT_THAT(next(0), absent);
  EXPECT_THAT(encrypt(message, bytes("x")).rv, IsOk());
  // A part that fails ends its message.
  must(begin());
  message.params().ulTagBits = 64;
  EXPECT_THAT(next(CKF_END_OF_MESSAGE), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_THAT(next(0), absent);
  message.params().ulTagBits = 128;
  must(begin());
  // No mechanism: the process ends, whatever it is at.
  EXPECT_THAT(v_->C_MessageEncryptInit(s_, nullptr, 0), IsOk());
  EXPECT_THAT(next(0), absent);
  EXPECT_THAT(v_->C_MessageEncryptFinal(s_), absent);
}

TEST_F(Messages, EndWithTheLoginAndByCancelling) {
  const auto key = generate_aes(session_, Attributes().flag(CKA_TOKEN, true));
  must(encrypt_init(key));
  must(decrypt_init(key));
  must(v_->C_SessionCancel(s_, CKF_MESSAGE_DECRYPT));
  EXPECT_THAT(v_->C_MessageDecryptFinal(s_), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  GcmMessage message;
  EXPECT_THAT(encrypt(message, bytes("x")).rv, IsOk());
  must(session_.logout());
  must(session_.login(CKU_USER, kUserPin));
  EXPECT_THAT(encrypt(message, bytes("x")).rv, ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
}

TEST_F(Messages, ObeyTheKey) {
  CK_MECHANISM gcm{CKM_AES_GCM, nullptr, 0};
  const auto decrypts = generate_aes(session_, Attributes().flag(CKA_DECRYPT, true));
  EXPECT_THAT(encrypt_init(decrypts), ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  const auto encrypts = generate_aes(session_, Attributes().flag(CKA_ENCRYPT, true));
  EXPECT_THAT(decrypt_init(encrypts), ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  const auto other = generate_aes(
      session_,
      Attributes().flag(CKA_ENCRYPT, true).numbers(CKA_ALLOWED_MECHANISMS, {CKM_AES_CMAC}));
  EXPECT_THAT(encrypt_init(other), ReturnsRv(CKR_MECHANISM_INVALID));
  const auto pair = generate_ec(session_);
  EXPECT_THAT(encrypt_init(pair.public_key), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(encrypt_init(encrypts + 1000), ReturnsRv(CKR_KEY_HANDLE_INVALID));
  gcm.mechanism = CKM_AES_CMAC;
  EXPECT_THAT(v_->C_MessageEncryptInit(s_, &gcm, encrypts), ReturnsRv(CKR_MECHANISM_INVALID));
  gcm = {CKM_AES_GCM, &gcm, 3};
  EXPECT_THAT(v_->C_MessageEncryptInit(s_, &gcm, encrypts), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  // What C_Message...Init gets may be a message's parameter already.
  GcmMessage message;
  auto mechanism = message.mechanism();
  EXPECT_THAT(v_->C_MessageEncryptInit(s_, &mechanism, encrypts), IsOk());
}

TEST_F(Messages, AreAnnouncedByTheMechanism) {
  CK_MECHANISM_INFO info{};
  must(token_->C_GetMechanismInfo(token_.slot(), CKM_AES_GCM, &info));
  const CK_FLAGS expected = CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE;
  EXPECT_EQ(info.flags & expected, expected);
  EXPECT_EQ(info.flags & (CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY), 0U);
  must(token_->C_GetMechanismInfo(token_.slot(), CKM_ECDSA_SHA256, &info));
  EXPECT_EQ(info.flags & (CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE),
            CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE);
  must(token_->C_GetMechanismInfo(token_.slot(), CKM_SHA256, &info));
  EXPECT_EQ(info.flags, static_cast<CK_FLAGS>(CKF_DIGEST));
}

}  // namespace
}  // namespace tallystick::test
