// How operations begin, go on and end, whatever the mechanism (PKCS#11 section 5.2).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

class Operations : public ::testing::Test {
 protected:
  TestToken token_;
  CK_FUNCTION_LIST* c_ = token_.functions();
  CK_SESSION_HANDLE s_ = token_.handle();
  Session& session_ = token_.session();
  core::Bytes data_ = bytes("data");
};

TEST_F(Operations, ABufferThatIsTooSmallKeepsEachOfThemAlive) {
  const auto aes = generate_aes(session_);
  const auto pair = generate_ec(session_);
  Gcm gcm(core::Bytes(12, 1));
  Mechanism sha(CKM_SHA256);
  Mechanism ecdsa(CKM_ECDSA_SHA256);
  core::Bytes out(256, 0xEE);

  // Each is asked with a null buffer, then with one byte too few, then with the right size.
  const auto three_times = [&](CK_ULONG expected, const auto& call) {
    CK_ULONG size = 0;
    EXPECT_THAT(call(nullptr, &size), IsOk());
    EXPECT_GE(size, expected);
    const auto announced = size;
    size = expected - 1;
    EXPECT_THAT(call(out.data(), &size), ReturnsRv(CKR_BUFFER_TOO_SMALL));
    EXPECT_GE(size, expected);
    EXPECT_LE(size, announced);
    EXPECT_EQ(std::ranges::count(out, 0xEE), static_cast<std::ptrdiff_t>(out.size()));
    size = announced;
    EXPECT_THAT(call(out.data(), &size), IsOk());
    EXPECT_EQ(size, expected);
    EXPECT_THAT(call(out.data(), &size), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
    std::ranges::fill(out, std::uint8_t{0xEE});
  };
  const auto sealed = must(session_.encrypt(gcm, aes, data_));
  auto copy = sealed;

  must(c_->C_EncryptInit(s_, gcm.get(), aes));
  three_times(20, [&](CK_BYTE* to, CK_ULONG* size) {
    return c_->C_Encrypt(s_, data_.data(), data_.size(), to, size);
  });
  must(c_->C_DecryptInit(s_, gcm.get(), aes));
  three_times(4, [&](CK_BYTE* to, CK_ULONG* size) {
    return c_->C_Decrypt(s_, copy.data(), copy.size(), to, size);
  });
  must(c_->C_DigestInit(s_, sha.get()));
  three_times(32, [&](CK_BYTE* to, CK_ULONG* size) {
    return c_->C_Digest(s_, data_.data(), data_.size(), to, size);
  });
  must(c_->C_SignInit(s_, ecdsa.get(), pair.private_key));
  three_times(64, [&](CK_BYTE* to, CK_ULONG* size) {
    return c_->C_Sign(s_, data_.data(), data_.size(), to, size);
  });
  must(c_->C_DigestInit(s_, sha.get()));
  must(c_->C_DigestUpdate(s_, data_.data(), data_.size()));
  three_times(32, [&](CK_BYTE* to, CK_ULONG* size) { return c_->C_DigestFinal(s_, to, size); });
  must(c_->C_SignInit(s_, ecdsa.get(), pair.private_key));
  must(c_->C_SignUpdate(s_, data_.data(), data_.size()));
  three_times(64, [&](CK_BYTE* to, CK_ULONG* size) { return c_->C_SignFinal(s_, to, size); });
  must(c_->C_DecryptInit(s_, gcm.get(), aes));
  CK_ULONG nothing = out.size();
  must(c_->C_DecryptUpdate(s_, copy.data(), copy.size(), out.data(), &nothing));
  std::ranges::fill(out, std::uint8_t{0xEE});
  three_times(4, [&](CK_BYTE* to, CK_ULONG* size) { return c_->C_DecryptFinal(s_, to, size); });
}

TEST_F(Operations, OneOfAKindIsActiveAtATime) {
  const auto aes = generate_aes(session_, Attributes()
                                              .flag(CKA_ENCRYPT, true)
                                              .flag(CKA_DECRYPT, true)
                                              .flag(CKA_SIGN, true)
                                              .flag(CKA_VERIFY, true));
  Gcm gcm(core::Bytes(12, 1));
  Mechanism cmac(CKM_AES_CMAC);
  Mechanism sha(CKM_SHA256);
  must(c_->C_EncryptInit(s_, gcm.get(), aes));
  must(c_->C_DecryptInit(s_, gcm.get(), aes));
  must(c_->C_SignInit(s_, cmac.get(), aes));
  must(c_->C_VerifyInit(s_, cmac.get(), aes));
  must(c_->C_DigestInit(s_, sha.get()));
  EXPECT_THAT(c_->C_EncryptInit(s_, gcm.get(), aes), ReturnsRv(CKR_OPERATION_ACTIVE));
  EXPECT_THAT(c_->C_DecryptInit(s_, gcm.get(), aes), ReturnsRv(CKR_OPERATION_ACTIVE));
  EXPECT_THAT(c_->C_SignInit(s_, cmac.get(), aes), ReturnsRv(CKR_OPERATION_ACTIVE));
  EXPECT_THAT(c_->C_VerifyInit(s_, cmac.get(), aes), ReturnsRv(CKR_OPERATION_ACTIVE));
  EXPECT_THAT(c_->C_DigestInit(s_, sha.get()), ReturnsRv(CKR_OPERATION_ACTIVE));
  // The one that was there goes on.
  core::Bytes out(64);
  CK_ULONG size = out.size();
  EXPECT_THAT(c_->C_Encrypt(s_, data_.data(), data_.size(), out.data(), &size), IsOk());
  size = out.size();
  EXPECT_THAT(c_->C_Digest(s_, data_.data(), data_.size(), out.data(), &size), IsOk());
}

TEST_F(Operations, WithoutInitEachSaysThatItIsMissing) {
  const auto missing = ReturnsRv(CKR_OPERATION_NOT_INITIALIZED);
  core::Bytes out(64);
  CK_ULONG size = out.size();
  auto* const d = data_.data();
  const auto n = data_.size();
  EXPECT_THAT(c_->C_Encrypt(s_, d, n, out.data(), &size), missing);
  EXPECT_THAT(c_->C_EncryptUpdate(s_, d, n, out.data(), &size), missing);
  EXPECT_THAT(c_->C_EncryptFinal(s_, out.data(), &size), missing);
  EXPECT_THAT(c_->C_Decrypt(s_, d, n, out.data(), &size), missing);
  EXPECT_THAT(c_->C_DecryptUpdate(s_, d, n, out.data(), &size), missing);
  EXPECT_THAT(c_->C_DecryptFinal(s_, out.data(), &size), missing);
  EXPECT_THAT(c_->C_Digest(s_, d, n, out.data(), &size), missing);
  EXPECT_THAT(c_->C_DigestUpdate(s_, d, n), missing);
  EXPECT_THAT(c_->C_DigestKey(s_, 1), missing);
  EXPECT_THAT(c_->C_DigestFinal(s_, out.data(), &size), missing);
  EXPECT_THAT(c_->C_Sign(s_, d, n, out.data(), &size), missing);
  EXPECT_THAT(c_->C_SignUpdate(s_, d, n), missing);
  EXPECT_THAT(c_->C_SignFinal(s_, out.data(), &size), missing);
  EXPECT_THAT(c_->C_Verify(s_, d, n, out.data(), size), missing);
  EXPECT_THAT(c_->C_VerifyUpdate(s_, d, n), missing);
  EXPECT_THAT(c_->C_VerifyFinal(s_, out.data(), size), missing);
}

TEST_F(Operations, AnOperationInPartsIsNotEndedByTheCallInOne) {
  const auto pair = generate_ec(session_);
  Mechanism sha(CKM_SHA256);
  Mechanism ecdsa(CKM_ECDSA_SHA256);
  core::Bytes out(64);
  CK_ULONG size = out.size();
  must(c_->C_DigestInit(s_, sha.get()));
  must(c_->C_DigestUpdate(s_, data_.data(), data_.size()));
  EXPECT_NE(c_->C_Digest(s_, data_.data(), data_.size(), out.data(), &size), CKR_OK);
  must(c_->C_SignInit(s_, ecdsa.get(), pair.private_key));
  must(c_->C_SignUpdate(s_, data_.data(), data_.size()));
  EXPECT_NE(c_->C_Sign(s_, data_.data(), data_.size(), out.data(), &size), CKR_OK);
}

TEST_F(Operations, SessionsDoNotShareTheirOperations) {
  Mechanism sha(CKM_SHA256);
  Session second(token_.functions(), token_.slot());
  must(c_->C_DigestInit(s_, sha.get()));
  core::Bytes out(64);
  CK_ULONG size = out.size();
  EXPECT_THAT(c_->C_DigestFinal(second.handle(), out.data(), &size),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  EXPECT_EQ(must(second.digest(CKM_SHA256, data_)).size(), 32U);
  EXPECT_THAT(c_->C_DigestFinal(s_, out.data(), &size), IsOk());
}

TEST_F(Operations, MechanismsServeTheFunctionsTheyAreFor) {
  const auto aes = generate_aes(session_);
  const auto pair = generate_ec(session_);
  Mechanism gcm(CKM_AES_GCM);
  Mechanism sha(CKM_SHA256);
  Mechanism ecdsa(CKM_ECDSA);
  Mechanism unknown(0x7FFFFFF1UL);
  const auto invalid = ReturnsRv(CKR_MECHANISM_INVALID);
  EXPECT_THAT(c_->C_SignInit(s_, gcm.get(), aes), invalid);
  EXPECT_THAT(c_->C_DigestInit(s_, ecdsa.get()), invalid);
  EXPECT_THAT(c_->C_EncryptInit(s_, sha.get(), aes), invalid);
  EXPECT_THAT(c_->C_EncryptInit(s_, ecdsa.get(), pair.public_key), invalid);
  EXPECT_THAT(c_->C_VerifyInit(s_, unknown.get(), pair.public_key), invalid);
  EXPECT_THAT(session_.generate(CKM_SHA256, aes_template(32)).rv, invalid);
  EXPECT_THAT(session_.generate_pair(CKM_AES_KEY_GEN, {}, {}).rv, invalid);
  // Here the key is not for the use either, and either may be told.
  const auto refused = ::testing::AnyOf(invalid, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  EXPECT_THAT(session_.derive(CKM_AES_GCM, aes, {}).rv, refused);
  EXPECT_THAT(session_.wrap(CKM_ECDSA, aes, aes).rv, refused);
  EXPECT_THAT(session_.unwrap(CKM_SHA256, aes, core::Bytes(24), {}).rv, refused);
}

TEST_F(Operations, InputAndOutputMayOverlap) {
  const auto aes = generate_aes(session_);
  Gcm gcm(core::Bytes(12, 1));
  const core::Bytes text(64, 0x61);
  const auto expected = must(session_.encrypt(gcm, aes, text));
  for (const std::ptrdiff_t shift : {-16, -1, 1, 16}) {
    core::Bytes room(256);
    const auto in = room.begin() + 64;
    std::ranges::copy(text, in);
    CK_ULONG size = 100;
    must(c_->C_EncryptInit(s_, gcm.get(), aes));
    must(c_->C_Encrypt(s_, &*in, text.size(), &*(in + shift), &size));
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), in + shift)) << shift;
  }
}

TEST_F(Operations, LegacyFunctionsSayThatTheyAreNotThere) {
  core::Bytes out(64);
  CK_ULONG size = out.size();
  auto* const d = data_.data();
  const auto n = data_.size();
  const auto absent = ReturnsRv(CKR_FUNCTION_NOT_SUPPORTED);
  Mechanism ecdsa(CKM_ECDSA);
  EXPECT_THAT(c_->C_SignRecoverInit(s_, ecdsa.get(), 1), absent);
  EXPECT_THAT(c_->C_SignRecover(s_, d, n, out.data(), &size), absent);
  EXPECT_THAT(c_->C_VerifyRecoverInit(s_, ecdsa.get(), 1), absent);
  EXPECT_THAT(c_->C_VerifyRecover(s_, d, n, out.data(), &size), absent);
  EXPECT_THAT(c_->C_DigestEncryptUpdate(s_, d, n, out.data(), &size), absent);
  EXPECT_THAT(c_->C_DecryptDigestUpdate(s_, d, n, out.data(), &size), absent);
  EXPECT_THAT(c_->C_SignEncryptUpdate(s_, d, n, out.data(), &size), absent);
  EXPECT_THAT(c_->C_DecryptVerifyUpdate(s_, d, n, out.data(), &size), absent);
}

}  // namespace
}  // namespace tallystick::test
