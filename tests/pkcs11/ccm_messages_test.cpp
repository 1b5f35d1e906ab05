// AES-CCM message after message, with nonces that the token makes. What messages_test.cpp shows of
// GCM holds here too where the two share their code: the order of calls, logins, keys.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/symmetric.h"

namespace tallystick::test {
namespace {

// CK_CCM_MESSAGE_PARAMS that owns what it points to.
class CcmMessage {
 public:
  explicit CcmMessage(std::size_t size, CK_GENERATOR_FUNCTION generator = CKG_GENERATE,
                      core::Bytes nonce = core::Bytes(12), CK_ULONG fixed_bits = 0)
      : nonce_(std::move(nonce)) {
    params_ = {size, nonce_.data(), nonce_.size(), fixed_bits, generator, tag_.data(), tag_.size()};
  }
  CcmMessage(const CcmMessage&) = delete;
  CcmMessage& operator=(const CcmMessage&) = delete;
  ~CcmMessage() = default;

  [[nodiscard]] void* get() { return &params_; }
  [[nodiscard]] CK_CCM_MESSAGE_PARAMS& params() { return params_; }
  [[nodiscard]] core::Bytes& nonce() { return nonce_; }
  [[nodiscard]] core::Bytes& tag() { return tag_; }

 private:
  core::Bytes nonce_;
  core::Bytes tag_ = core::Bytes(16);
  CK_CCM_MESSAGE_PARAMS params_{};
};
constexpr CK_ULONG kParams = sizeof(CK_CCM_MESSAGE_PARAMS);

class CcmMessages : public ::testing::Test {
 protected:
  CcmMessages() : key_(generate_aes(token_.session())) {
    CK_MECHANISM ccm{CKM_AES_CCM, nullptr, 0};
    must(v_->C_MessageEncryptInit(s_, &ccm, key_));
    must(v_->C_MessageDecryptInit(s_, &ccm, key_));
  }
  Answer<core::Bytes> encrypt(CcmMessage& message, core::Bytes data, core::Bytes aad = {}) {
    core::Bytes out(data.size() + 8);
    CK_ULONG size = out.size();
    const auto rv = v_->C_EncryptMessage(s_, message.get(), kParams, pointer(aad), aad.size(),
                                         pointer(data), data.size(), out.data(), &size);
    out.resize(rv == CKR_OK ? size : 0);
    return {rv, out};
  }
  Answer<core::Bytes> decrypt(CcmMessage& message, core::Bytes data, core::Bytes aad = {}) {
    core::Bytes out(data.size() + 8, 0xEE);
    CK_ULONG size = out.size();
    const auto rv = v_->C_DecryptMessage(s_, message.get(), kParams, pointer(aad), aad.size(),
                                         pointer(data), data.size(), out.data(), &size);
    if (rv != CKR_OK) {
      EXPECT_EQ(out, core::Bytes(out.size(), 0xEE)) << "plaintext without its tag";
    }
    out.resize(rv == CKR_OK ? size : 0);
    return {rv, out};
  }

  TestToken token_;
  CK_FUNCTION_LIST_3_0* v_ = token_.module().v3();
  CK_SESSION_HANDLE s_ = token_.handle();
  CK_OBJECT_HANDLE key_;
};

TEST_F(CcmMessages, WithTheCallersNonceAreWhatCEncryptGives) {
  for (const std::size_t nonce : {7U, 12U, 13U}) {
    for (const std::size_t size : {0U, 1U, 16U, 1000U}) {
      const core::Bytes own(nonce, static_cast<std::uint8_t>(size));
      CcmMessage message(size, CKG_NO_GENERATE, own);
      auto sealed = must(encrypt(message, core::Bytes(size, 7), bytes("aad")));
      EXPECT_EQ(sealed.size(), size);
      sealed.insert(sealed.end(), message.tag().begin(), message.tag().end());
      Ccm ccm(size, own, bytes("aad"));
      EXPECT_EQ(sealed, must(token_.session().encrypt(ccm, key_, core::Bytes(size, 7))));
    }
  }
}

TEST_F(CcmMessages, ComeBackUnderANonceOfTheToken) {
  std::set<core::Bytes> seen;
  for (const auto generator : {CKG_GENERATE, CKG_GENERATE_RANDOM, CKG_GENERATE}) {
    CcmMessage message(8, generator);
    const auto sealed = must(encrypt(message, bytes("the data"), bytes("aad")));
    EXPECT_TRUE(seen.insert(message.nonce()).second);
    EXPECT_EQ(must(decrypt(message, sealed, bytes("aad"))), bytes("the data"));
    EXPECT_THAT(decrypt(message, sealed, bytes("bad")).rv, ReturnsRv(CKR_AEAD_DECRYPT_FAILED));
    message.tag()[0] ^= 1U;
    EXPECT_THAT(decrypt(message, sealed, bytes("aad")).rv, ReturnsRv(CKR_AEAD_DECRYPT_FAILED));
  }
}

TEST_F(CcmMessages, A33_ANonceTooShortForRandomnessIsCountedOrTheCallersOwn) {
  CcmMessage random(1, CKG_GENERATE, core::Bytes(11));
  EXPECT_THAT(encrypt(random, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_EQ(random.nonce(), core::Bytes(11));
  for (std::uint8_t i = 0; i < 3; ++i) {
    CcmMessage counted(1, CKG_GENERATE_COUNTER, core::Bytes(11, 0xAA), 24);
    must(encrypt(counted, bytes("x")).rv);
    EXPECT_EQ(counted.nonce(), (core::Bytes{0xAA, 0xAA, 0xAA, 0, 0, 0, 0, 0, 0, 0, i}));
  }
}

TEST_F(CcmMessages, HaveTheLengthThatTheParameterSays) {
  CcmMessage message(8);
  EXPECT_THAT(encrypt(message, bytes("too long.")).rv, ReturnsRv(CKR_DATA_LEN_RANGE));
  EXPECT_THAT(encrypt(message, bytes("short")).rv, ReturnsRv(CKR_DATA_LEN_RANGE));
  const auto sealed = must(encrypt(message, bytes("the data")));
  EXPECT_THAT(decrypt(message, bytes("too long.")).rv, ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
  EXPECT_EQ(must(decrypt(message, sealed)), bytes("the data"));
  // 13 bytes of nonce leave two for the length.
  CcmMessage most(0xFFFF, CKG_GENERATE, core::Bytes(13));
  EXPECT_THAT(encrypt(most, core::Bytes(0xFFFF)).rv, IsOk());
  CcmMessage more(0x10000, CKG_GENERATE, core::Bytes(13));
  EXPECT_THAT(encrypt(more, core::Bytes(0x10000)).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

TEST_F(CcmMessages, InPartsAreWhatTheyAreInOnePieceAndComeOutAtTheEnd) {
  const auto data = some_bytes(100);
  auto aad = bytes("aad");
  CcmMessage message(data.size());
  must(v_->C_EncryptMessageBegin(s_, message.get(), kParams, aad.data(), aad.size()));
  const auto nonce = message.nonce();
  EXPECT_NE(nonce, core::Bytes(12));
  core::Bytes first(data.begin(), data.begin() + 60);
  core::Bytes second(data.begin() + 60, data.end());
  core::Bytes out(200);
  CK_ULONG size = out.size();
  must(v_->C_EncryptMessageNext(s_, message.get(), kParams, first.data(), first.size(), out.data(),
                                &size, 0));
  EXPECT_EQ(size, 0U);
  size = out.size();
  must(v_->C_EncryptMessageNext(s_, message.get(), kParams, second.data(), second.size(),
                                out.data(), &size, CKF_END_OF_MESSAGE));
  out.resize(size);
  CcmMessage whole(data.size(), CKG_NO_GENERATE, nonce);
  EXPECT_EQ(out, must(encrypt(whole, data, aad)));
  EXPECT_EQ(message.tag(), whole.tag());

  must(v_->C_DecryptMessageBegin(s_, message.get(), kParams, aad.data(), aad.size()));
  core::Bytes back(200, 0xEE);
  size = back.size();
  must(v_->C_DecryptMessageNext(s_, message.get(), kParams, out.data(), 30, back.data(), &size, 0));
  EXPECT_EQ(size, 0U);
  EXPECT_EQ(back, core::Bytes(200, 0xEE));
  size = back.size();
  must(v_->C_DecryptMessageNext(s_, message.get(), kParams, out.data() + 30, 70, back.data(), &size,
                                CKF_END_OF_MESSAGE));
  back.resize(size);
  EXPECT_EQ(back, data);
}

TEST_F(CcmMessages, InPartsThatAreNotTheAnnouncedLengthAreRefused) {
  core::Bytes data(9);
  core::Bytes out(32);
  for (const std::size_t given : {7U, 9U}) {
    CcmMessage message(8);
    must(v_->C_EncryptMessageBegin(s_, message.get(), kParams, nullptr, 0));
    CK_ULONG size = out.size();
    EXPECT_THAT(v_->C_EncryptMessageNext(s_, message.get(), kParams, data.data(), given, out.data(),
                                         &size, CKF_END_OF_MESSAGE),
                ReturnsRv(CKR_DATA_LEN_RANGE));
    must(v_->C_DecryptMessageBegin(s_, message.get(), kParams, nullptr, 0));
    size = out.size();
    EXPECT_THAT(v_->C_DecryptMessageNext(s_, message.get(), kParams, data.data(), given, out.data(),
                                         &size, CKF_END_OF_MESSAGE),
                ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
  }
  // The run goes on.
  CcmMessage message(9);
  EXPECT_EQ(must(decrypt(message, must(encrypt(message, data)))), data);
}

// The room that is set aside is that of the announced length.
TEST_F(CcmMessages, A60_APartThatIsMoreThanWasAnnouncedIsRefusedWhenItComes) {
  core::Bytes data(9);
  core::Bytes out(32);
  CcmMessage message(8);
  must(v_->C_EncryptMessageBegin(s_, message.get(), kParams, nullptr, 0));
  CK_ULONG size = out.size();
  must(v_->C_EncryptMessageNext(s_, message.get(), kParams, data.data(), 5, out.data(), &size, 0));
  size = out.size();
  EXPECT_THAT(
      v_->C_EncryptMessageNext(s_, message.get(), kParams, data.data(), 4, out.data(), &size, 0),
      ReturnsRv(CKR_DATA_LEN_RANGE));
}

TEST_F(CcmMessages, A60_AssociatedDataHaveALimit) {
  CcmMessage message(1);
  const core::Bytes most(1UL << 20U);
  const core::Bytes more((1UL << 20U) + 1);
  const auto sealed = must(encrypt(message, bytes("x"), most));
  EXPECT_EQ(must(decrypt(message, sealed, most)), bytes("x"));
  EXPECT_THAT(encrypt(message, bytes("x"), more).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_THAT(decrypt(message, sealed, more).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

TEST_F(CcmMessages, A34_A64_WrongParametersAreRefused) {
  const auto with = [&](const std::function<void(CK_CCM_MESSAGE_PARAMS&)>& change) {
    CcmMessage message(1);
    change(message.params());
    EXPECT_THAT(encrypt(message, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    EXPECT_THAT(decrypt(message, bytes("x")).rv, ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  };
  for (const CK_ULONG length : {0UL, 4UL, 12UL, 15UL, 17UL, 128UL, ~0UL}) {
    with([&](auto& params) { params.ulMACLen = length; });
  }
  for (const CK_ULONG length : {0UL, 6UL, 14UL, ~0UL}) {
    with([&](auto& params) { params.ulNonceLen = length; });
  }
  with([](auto& params) { params.pMAC = nullptr; });
  with([](auto& params) { params.pNonce = nullptr; });
  with([](auto& params) { params.ulDataLen = ~0UL; });
  CcmMessage message(1);
  auto data = bytes("x");
  CK_ULONG size = 1;
  for (const CK_ULONG length : {CK_ULONG{0}, kParams - 1, kParams + 1, ~0UL}) {
    EXPECT_THAT(v_->C_EncryptMessage(s_, message.get(), length, nullptr, 0, data.data(), 1,
                                     data.data(), &size),
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
}

}  // namespace
}  // namespace tallystick::test
