// Arguments that each function has to refuse itself, because nothing behind it would: pointers that
// are null where a length of zero would be taken, and mechanisms that the function is not for.
#include <gtest/gtest.h>

#include <array>

#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

constexpr CK_MECHANISM_TYPE kUnknown = 0x7FFF1234;

class RefusedArguments : public ::testing::Test {
 protected:
  TestToken token_;
  Session& session_ = token_.session();
  CK_FUNCTION_LIST* c_ = token_.functions();
  CK_FUNCTION_LIST_3_2* v_ = token_.module().v32();
  CK_SESSION_HANDLE s_ = token_.handle();
  CK_BYTE byte_ = 0;
  CK_ULONG size_ = 1;
  CK_OBJECT_HANDLE object_ = 0;
};

TEST_F(RefusedArguments, A61_ThereIsNoPinWithoutAPointer) {
  std::string pin = kUserPin;
  auto* const text = reinterpret_cast<CK_UTF8CHAR*>(pin.data());
  std::array<CK_UTF8CHAR, 32> label{};
  EXPECT_THAT(c_->C_InitToken(token_.module().free_slot(), nullptr, 0, label.data()),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_SetPIN(s_, nullptr, 0, text, pin.size()), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_SetPIN(s_, text, pin.size(), nullptr, 0), ReturnsRv(CKR_ARGUMENTS_BAD));
  must(session_.logout());
  EXPECT_THAT(c_->C_Login(s_, CKU_USER, nullptr, 0), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v_->C_LoginUser(s_, CKU_USER, nullptr, 0, nullptr, 0), ReturnsRv(CKR_ARGUMENTS_BAD));
  // None of this was a try.
  EXPECT_EQ(token_.module().token_info(token_.slot()).flags & CKF_USER_PIN_COUNT_LOW, 0U);
  must(session_.login(CKU_SO, kSoPin));
  EXPECT_THAT(c_->C_InitPIN(s_, nullptr, 0), ReturnsRv(CKR_ARGUMENTS_BAD));
}

TEST_F(RefusedArguments, A61_ThereIsNoBlobWithoutAPointer) {
  const auto kek = generate_aes(session_, Attributes().flag(CKA_UNWRAP, true));
  Mechanism kwp(CKM_AES_KEY_WRAP_KWP);
  auto wanted = Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES);
  EXPECT_THAT(
      c_->C_UnwrapKey(s_, kwp.get(), kek, nullptr, 0, wanted.data(), wanted.size(), &object_),
      ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v_->C_UnwrapKeyAuthenticated(s_, kwp.get(), kek, nullptr, 0, wanted.data(),
                                           wanted.size(), nullptr, 0, &object_),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(
      v_->C_DecapsulateKey(s_, kwp.get(), kek, wanted.data(), wanted.size(), nullptr, 0, &object_),
      ReturnsRv(CKR_ARGUMENTS_BAD));
}

TEST_F(RefusedArguments, A61_KeysAreMadeForWhoTakesTheirHandle) {
  const auto key = generate_aes(session_, Attributes().flag(CKA_UNWRAP, true));
  const auto base = base_key(session_, core::Bytes(32, 1));
  Hkdf hkdf(CKM_SHA256);
  auto wanted = aes_template(32);
  EXPECT_THAT(c_->C_DeriveKey(s_, hkdf.get(), base, wanted.data(), wanted.size(), nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  Mechanism any(CKM_AES_KEY_WRAP_KWP);
  EXPECT_THAT(v_->C_UnwrapKeyAuthenticated(s_, any.get(), key, &byte_, 1, wanted.data(),
                                           wanted.size(), nullptr, 0, nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v_->C_EncapsulateKey(s_, any.get(), key, wanted.data(), wanted.size(), &byte_, &size_,
                                   nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(
      v_->C_DecapsulateKey(s_, any.get(), key, wanted.data(), wanted.size(), &byte_, 1, nullptr),
      ReturnsRv(CKR_ARGUMENTS_BAD));
}

TEST_F(RefusedArguments, A61_NothingIsDoneByNoMechanism) {
  const auto key = generate_aes(session_);
  EXPECT_THAT(
      v_->C_UnwrapKeyAuthenticated(s_, nullptr, key, &byte_, 1, nullptr, 0, nullptr, 0, &object_),
      ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v_->C_EncapsulateKey(s_, nullptr, key, nullptr, 0, &byte_, &size_, &object_),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v_->C_DecapsulateKey(s_, nullptr, key, nullptr, 0, &byte_, 1, &object_),
              ReturnsRv(CKR_ARGUMENTS_BAD));
}

TEST_F(RefusedArguments, A61_ThereAreNoAttributesWithoutAPointer) {
  const auto key = generate_aes(session_);
  EXPECT_THAT(c_->C_GetAttributeValue(s_, key, nullptr, 0), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_SetAttributeValue(s_, key, nullptr, 0), ReturnsRv(CKR_ARGUMENTS_BAD));
}

TEST_F(RefusedArguments, A61_WhatIsReservedIsNull) {
  CK_SLOT_ID slot = 0;
  EXPECT_THAT(c_->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr), ReturnsRv(CKR_NO_EVENT));
  EXPECT_THAT(c_->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, &slot), ReturnsRv(CKR_ARGUMENTS_BAD));
}

TEST_F(RefusedArguments, A64_AMechanismThatThereIsNotDoesNothing) {
  const auto key = generate_aes(session_, Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  Mechanism unknown(kUnknown);
  const auto is_invalid = ReturnsRv(CKR_MECHANISM_INVALID);
  EXPECT_THAT(c_->C_GenerateKey(s_, unknown.get(), nullptr, 0, &object_), is_invalid);
  EXPECT_THAT(c_->C_DigestInit(s_, unknown.get()), is_invalid);
  EXPECT_THAT(c_->C_DeriveKey(s_, unknown.get(), key, nullptr, 0, &object_), is_invalid);
  EXPECT_THAT(v_->C_WrapKeyAuthenticated(s_, unknown.get(), key, key, nullptr, 0, &byte_, &size_),
              is_invalid);
  EXPECT_THAT(v_->C_UnwrapKeyAuthenticated(s_, unknown.get(), key, &byte_, 1, nullptr, 0, nullptr,
                                           0, &object_),
              is_invalid);
}

// Before anything is asked of the key, which may not be there.
TEST_F(RefusedArguments, A64_AMechanismIsNotUsedForWhatItDoesNotDo) {
  const auto is_invalid = ReturnsRv(CKR_MECHANISM_INVALID);
  auto wanted = aes_template(32);
  Mechanism unknown(kUnknown);
  Mechanism sha(CKM_SHA256);
  Mechanism kwp(CKM_AES_KEY_WRAP_KWP);
  for (auto* const mechanism : {&unknown, &sha, &kwp}) {
    EXPECT_THAT(c_->C_DeriveKey(s_, mechanism->get(), 0, wanted.data(), wanted.size(), &object_),
                is_invalid);
    EXPECT_THAT(v_->C_UnwrapKeyAuthenticated(s_, mechanism->get(), 0, &byte_, 1, wanted.data(),
                                             wanted.size(), nullptr, 0, &object_),
                is_invalid);
    EXPECT_THAT(v_->C_WrapKeyAuthenticated(s_, mechanism->get(), 0, 0, nullptr, 0, &byte_, &size_),
                is_invalid);
  }
  for (auto* const mechanism : {&unknown, &sha}) {
    EXPECT_THAT(
        c_->C_UnwrapKey(s_, mechanism->get(), 0, &byte_, 1, wanted.data(), wanted.size(), &object_),
        is_invalid);
    EXPECT_THAT(c_->C_WrapKey(s_, mechanism->get(), 0, 0, &byte_, &size_), is_invalid);
  }
}

TEST_F(RefusedArguments, A60_NoProcessHasSoManyBytes) {
  must(c_->C_DigestInit(s_, Mechanism(CKM_SHA256).get()));
  EXPECT_THAT(c_->C_DigestUpdate(s_, &byte_, 1UL << 47U), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_SeedRandom(s_, &byte_, 1UL << 47U), ReturnsRv(CKR_ARGUMENTS_BAD));
}

TEST_F(RefusedArguments, A67_ASeedHasNoMoreThan64Kibibytes) {
  core::Bytes seed((1U << 16U) + 1, 1);
  EXPECT_THAT(c_->C_SeedRandom(s_, seed.data(), seed.size()), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(c_->C_SeedRandom(s_, seed.data(), seed.size() - 1), IsOk());
}

TEST_F(RefusedArguments, A63_AClassOfAnotherSizeIsThatOfNothing) {
  (void)data_object(session_, "data", true, false);
  for (const std::size_t size : {0U, 4U, 7U, 9U}) {
    core::Bytes value(size);
    CK_ATTRIBUTE pattern{CKA_CLASS, value.data(), value.size()};
    ASSERT_THAT(c_->C_FindObjectsInit(s_, &pattern, 1), IsOk());
    ASSERT_THAT(c_->C_FindObjects(s_, &object_, 1, &size_), IsOk());
    EXPECT_EQ(size_, 0U) << size;
    must(c_->C_FindObjectsFinal(s_));
  }
}

// K_AUTH tags one whole package at a time: what it looks at is no series of messages.
TEST(RefusedMessages, A20_APackageTagIsNotMadeMessageByMessage) {
  FamilyToken token;
  const auto share = must(token.make_share());
  const auto k_auth = asset_key(token.session(), share, "TS1/AUTH", core::Suite::kGcm);
  Mechanism cmac(CKM_AES_CMAC);
  EXPECT_THAT(token.module().v32()->C_MessageSignInit(token.handle(), cmac.get(), k_auth),
              ReturnsRv(CKR_MECHANISM_INVALID));
}

}  // namespace
}  // namespace tallystick::test
