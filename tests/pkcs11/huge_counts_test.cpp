// A60: counts and lengths near 2^64. The memory behind them is never touched.
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

constexpr std::array<CK_ULONG, 6> kHuge = {std::numeric_limits<CK_ULONG>::max(),
                                           std::numeric_limits<CK_ULONG>::max() - 1,
                                           std::numeric_limits<CK_ULONG>::max() / 24,
                                           1UL << 63U,
                                           1UL << 61U,
                                           1UL << 40U};

class HugeCounts : public ::testing::TestWithParam<CK_ULONG> {
 protected:
  TestToken token_;
  CK_FUNCTION_LIST* c_ = token_.functions();
  CK_SESSION_HANDLE s_ = token_.handle();
};
INSTANTIATE_TEST_SUITE_P(Near2To64, HugeCounts, ::testing::ValuesIn(kHuge),
                         [](const auto& tested) { return "Case" + std::to_string(tested.index); });

TEST_P(HugeCounts, A60_InTemplatesAreRefused) {
  const auto key = generate_aes(token_.session());
  CK_OBJECT_HANDLE made = 0;
  Attributes one;
  one.number(CKA_CLASS, CKO_DATA);
  Mechanism gen(CKM_AES_KEY_GEN);
  Mechanism pair(CKM_EC_KEY_PAIR_GEN);
  EXPECT_NE(c_->C_CreateObject(s_, one.data(), GetParam(), &made), CKR_OK);
  EXPECT_NE(c_->C_CopyObject(s_, key, one.data(), GetParam(), &made), CKR_OK);
  EXPECT_NE(c_->C_SetAttributeValue(s_, key, one.data(), GetParam()), CKR_OK);
  EXPECT_NE(c_->C_GetAttributeValue(s_, key, one.data(), GetParam()), CKR_OK);
  EXPECT_NE(c_->C_FindObjectsInit(s_, one.data(), GetParam()), CKR_OK);
  EXPECT_NE(c_->C_GenerateKey(s_, gen.get(), one.data(), GetParam(), &made), CKR_OK);
  EXPECT_NE(
      c_->C_GenerateKeyPair(s_, pair.get(), one.data(), GetParam(), one.data(), 1, &made, &made),
      CKR_OK);
  EXPECT_NE(
      c_->C_GenerateKeyPair(s_, pair.get(), one.data(), 1, one.data(), GetParam(), &made, &made),
      CKR_OK);
}

TEST_P(HugeCounts, A60_InAttributeLengthsAreRefused) {
  CK_BYTE value = 0;
  CK_OBJECT_CLASS data_class = CKO_DATA;
  std::array<CK_ATTRIBUTE, 2> wanted = {
      {{CKA_CLASS, &data_class, sizeof data_class}, {CKA_VALUE, &value, GetParam()}}};
  CK_OBJECT_HANDLE made = 0;
  EXPECT_NE(c_->C_CreateObject(s_, wanted.data(), wanted.size(), &made), CKR_OK);
  std::array<CK_ATTRIBUTE, 2> both = {
      {{CKA_VALUE, &value, GetParam()}, {CKA_LABEL, &value, GetParam()}}};
  EXPECT_NE(c_->C_FindObjectsInit(s_, both.data(), both.size()), CKR_OK);
  const auto key = generate_aes(token_.session());
  EXPECT_NE(c_->C_SetAttributeValue(s_, key, &both[1], 1), CKR_OK);
  CK_ULONG nothing = 0;
  EXPECT_THAT(c_->C_FindObjects(s_, &made, 1, &nothing), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
}

TEST_P(HugeCounts, A60_InMechanismParametersAreRefused) {
  const auto key = generate_aes(token_.session());
  CK_BYTE byte = 0;
  CK_MECHANISM whole{CKM_AES_GCM, &byte, GetParam()};
  EXPECT_NE(c_->C_EncryptInit(s_, &whole, key), CKR_OK);
  Gcm iv(core::Bytes(12, 1));
  {
    auto& [bytes, size, bits, aad_bytes, aad_size, tag_bits] = iv.params();
    size = GetParam();
  }
  EXPECT_THAT(c_->C_EncryptInit(s_, iv.get(), key), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  Gcm aad(core::Bytes(12, 1), core::Bytes(1, 1));
  {
    auto& [bytes, size, bits, aad_bytes, aad_size, tag_bits] = aad.params();
    aad_size = GetParam();
  }
  EXPECT_THAT(c_->C_EncryptInit(s_, aad.get(), key), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  Gcm tag(core::Bytes(12, 1), {}, GetParam());
  EXPECT_THAT(c_->C_EncryptInit(s_, tag.get(), key), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  CK_MECHANISM vendor{0x80545300UL | 0x21UL, &byte, GetParam()};
  CK_OBJECT_HANDLE made = 0;
  EXPECT_NE(c_->C_GenerateKey(s_, &vendor, nullptr, 0, &made), CKR_OK);
}

// What comes out would be longer than any number: with no buffer the length is all that is asked.
TEST_P(HugeCounts, A60_OfDataAreRefusedBeforeTheyAreRead) {
  const auto key = generate_aes(token_.session());
  CK_BYTE byte = 0;
  CK_ULONG size = 0;
  Gcm gcm(core::Bytes(12, 1));
  must(c_->C_EncryptInit(s_, gcm.get(), key));
  const auto rv = c_->C_Encrypt(s_, &byte, GetParam(), nullptr, &size);
  if (rv == CKR_OK) {
    EXPECT_EQ(size, GetParam() + 16);
    EXPECT_GT(size, GetParam());
  }
  (void)token_.module().v3()->C_SessionCancel(s_, CKF_ENCRYPT);
  must(c_->C_EncryptInit(s_, gcm.get(), key));
  size = 64;
  std::array<CK_BYTE, 64> out{};
  EXPECT_NE(c_->C_Encrypt(s_, &byte, GetParam(), out.data(), &size), CKR_OK);
}

TEST_P(HugeCounts, A60_OfWrappedKeysPinsAndSeedsAreRefused) {
  const auto wrapping =
      generate_aes(token_.session(), Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  CK_OBJECT_HANDLE made = 0;
  CK_BYTE byte = 0;
  Mechanism kwp(CKM_AES_KEY_WRAP_KWP);
  auto wanted = aes_template(32);
  EXPECT_NE(c_->C_UnwrapKey(s_, kwp.get(), wrapping, &byte, GetParam(), wanted.data(),
                            wanted.size(), &made),
            CKR_OK);
  EXPECT_NE(c_->C_SeedRandom(s_, &byte, GetParam()), CKR_OK);
  std::array<CK_UTF8CHAR, 8> pin = {'1', '2', '3', '4', '5', '6', '7', '8'};
  EXPECT_NE(c_->C_SetPIN(s_, pin.data(), GetParam(), pin.data(), 8), CKR_OK);
  EXPECT_NE(c_->C_SetPIN(s_, pin.data(), 8, pin.data(), GetParam()), CKR_OK);
  must(token_.session().logout());
  EXPECT_NE(c_->C_Login(s_, CKU_USER, pin.data(), GetParam()), CKR_OK);
}

}  // namespace
}  // namespace tallystick::test
