// Slots and what stands in them.
#include <gtest/gtest.h>

#include <array>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAreArray;
using ::testing::IsSupersetOf;
using ::testing::Not;

TEST(Slots, AnUninitialisedSlotIsAlwaysThere) {
  Bench bench;
  for (int token = 0; token < 3; ++token) {
    const auto slot = bench.module().free_slot();
    EXPECT_EQ(bench.module().token_info(slot).flags & CKF_TOKEN_INITIALIZED, 0U);
    (void)make_token(bench.module(), "token " + std::to_string(token));
    EXPECT_NE(bench.module().token_info(slot).flags & CKF_TOKEN_INITIALIZED, 0U);
  }
  EXPECT_EQ(bench.module().slots().size(), 4U);
}

TEST(Slots, SlotNumbersAreSmallAndStayOverARestart) {
  Bench bench;
  const auto first = make_token(bench.module(), "first");
  const auto second = make_token(bench.module(), "second");
  EXPECT_LT(first, 16U);
  EXPECT_LT(second, 16U);
  const auto before = bench.module().slots();
  bench.restart();
  EXPECT_THAT(bench.module().slots(), ElementsAreArray(before));
  EXPECT_EQ(slot_of(bench.module(), "first"), first);
  EXPECT_EQ(slot_of(bench.module(), "second"), second);
}

TEST(Slots, ATokenThatAnotherProcessMakesAppears) {
  Bench bench;
  const auto before = bench.module().slots();
  const auto slot = bench.module().free_slot();
  ASSERT_EQ(in_child([&] {
              must(bench.module()->C_Initialize(nullptr));
              return make_token(bench.module(), "made elsewhere") == slot ? 0 : 1;
            }),
            0);
  EXPECT_EQ(slot_of(bench.module(), "made elsewhere"), slot);
  EXPECT_GT(bench.module().slots().size(), before.size());
  Session session(bench.functions(), slot);
  EXPECT_THAT(session.login(CKU_USER, kUserPin), IsOk());
}

TEST(Slots, TwoProcessesThatInitialiseTheSameSlotMakeOneToken) {
  Bench bench;
  const auto slot = bench.module().free_slot();
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(std::make_unique<Child>([&, i](int in, int /*out*/) {
      must(bench.module()->C_Initialize(nullptr));
      char go = 0;
      (void)read_byte(in, go);
      const auto rv = init_token(bench.functions(), slot, kSoPin, "racer " + std::to_string(i));
      return rv == CKR_OK ? 0 : 1;
    }));
  }
  for (const auto& child : children) child->send('g');
  int made = 0;
  for (const auto& child : children) made += child->wait() == 0 ? 1 : 0;
  EXPECT_GE(made, 1);
  EXPECT_EQ(bench.home().databases().size(), 1U);
  EXPECT_NE(bench.module().token_info(slot).flags & CKF_TOKEN_INITIALIZED, 0U);
}

// Whoever looked first, and has the same SO PIN, would make the other one's token anew.
TEST(Slots, ATokenThatAppearedSinceTheSlotWasSeenEmptyIsNotInitialisedAgain) {
  Bench bench;
  const auto slot = bench.module().free_slot();
  const auto made_elsewhere = [&bench](CK_SLOT_ID in) {
    return in_child([&] {
      must(bench.module()->C_Initialize(nullptr));
      return make_token(bench.module(), "made elsewhere") == in ? 0 : 1;
    });
  };
  ASSERT_EQ(made_elsewhere(slot), 0);
  EXPECT_THAT(init_token(bench.functions(), slot, kSoPin, "mine"), ReturnsRv(CKR_FUNCTION_FAILED));
  EXPECT_THAT(init_token(bench.functions(), slot, kSoPin, "mine"), ReturnsRv(CKR_FUNCTION_FAILED))
      << "who has not looked since";
  EXPECT_EQ(slot_of(bench.module(), "made elsewhere"), slot);
  EXPECT_THAT(init_token(bench.functions(), slot, kSoPin, "mine"), IsOk())
      << "who has seen that token may";
  const auto next = bench.module().free_slot();
  ASSERT_EQ(made_elsewhere(next), 0);
  {
    Session session(bench.functions(), next);
    EXPECT_THAT(session.login(CKU_USER, kUserPin), IsOk());
  }
  EXPECT_THAT(init_token(bench.functions(), next, kSoPin, "mine too"), IsOk())
      << "a session tells it, too";
}

TEST(Slots, TheListTellsItsSizeWhenTheBufferIsTooSmall) {
  Bench bench;
  (void)make_token(bench.module());
  // New slots are taken in when the size is asked (PKCS#11 section 5.5).
  CK_ULONG count = 0;
  must(bench.module()->C_GetSlotList(CK_FALSE, nullptr, &count));
  ASSERT_EQ(count, 2U);
  count = 1;
  std::array<CK_SLOT_ID, 1> one = {77};
  EXPECT_THAT(bench.module()->C_GetSlotList(CK_FALSE, one.data(), &count),
              ReturnsRv(CKR_BUFFER_TOO_SMALL));
  EXPECT_EQ(count, 2U);
  EXPECT_EQ(one[0], 77U);
}

TEST(Slots, AnUnknownSlotIsRefusedByEachFunctionThatTakesOne) {
  Bench bench;
  constexpr CK_SLOT_ID kUnknown = 9999;
  CK_SLOT_INFO slot{};
  CK_TOKEN_INFO token{};
  CK_ULONG count = 0;
  CK_MECHANISM_INFO mechanism{};
  CK_SESSION_HANDLE session = 0;
  EXPECT_THAT(bench.module()->C_GetSlotInfo(kUnknown, &slot), ReturnsRv(CKR_SLOT_ID_INVALID));
  EXPECT_THAT(bench.module()->C_GetTokenInfo(kUnknown, &token), ReturnsRv(CKR_SLOT_ID_INVALID));
  EXPECT_THAT(bench.module()->C_GetMechanismList(kUnknown, nullptr, &count),
              ReturnsRv(CKR_SLOT_ID_INVALID));
  EXPECT_THAT(bench.module()->C_GetMechanismInfo(kUnknown, CKM_SHA256, &mechanism),
              ReturnsRv(CKR_SLOT_ID_INVALID));
  EXPECT_THAT(bench.module()->C_CloseAllSessions(kUnknown), ReturnsRv(CKR_SLOT_ID_INVALID));
  EXPECT_THAT(
      bench.module()->C_OpenSession(kUnknown, CKF_SERIAL_SESSION, nullptr, nullptr, &session),
      ReturnsRv(CKR_SLOT_ID_INVALID));
  EXPECT_THAT(init_token(bench.functions(), kUnknown, kSoPin, "x"), ReturnsRv(CKR_SLOT_ID_INVALID));
}

TEST(Slots, SessionsOpenOnEverySlotInitialisedOrNot) {
  Bench bench;
  (void)make_token(bench.module());
  for (const auto slot : bench.module().slots()) {
    Session session(bench.functions(), slot);
    EXPECT_EQ(session.state(), static_cast<CK_STATE>(CKS_RW_PUBLIC_SESSION));
    EXPECT_EQ(must(session.random(4)).size(), 4U);
  }
}

TEST(Slots, TokenInfoTellsLabelSerialAndFlags) {
  Bench bench;
  const auto slot = bench.module().free_slot();
  EXPECT_EQ(bench.module().token_info(slot).flags & CKF_RNG, static_cast<CK_FLAGS>(CKF_RNG));
  must(init_token(bench.functions(), slot, kSoPin, "line 4"));
  auto info = bench.module().token_info(slot);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(info.label), 32),
            "line 4                          ");
  EXPECT_NE(info.flags & CKF_TOKEN_INITIALIZED, 0U);
  EXPECT_NE(info.flags & CKF_LOGIN_REQUIRED, 0U);
  EXPECT_EQ(info.flags & CKF_USER_PIN_INITIALIZED, 0U);
  const std::string serial(reinterpret_cast<const char*>(info.serialNumber), 16);
  EXPECT_EQ(serial.find_first_not_of("0123456789abcdefABCDEF"), std::string::npos);
  {
    Session session(bench.functions(), slot);
    must(session.login(CKU_SO, kSoPin));
    must(session.init_pin(kUserPin));
    info = bench.module().token_info(slot);
    EXPECT_NE(info.flags & CKF_USER_PIN_INITIALIZED, 0U);
    EXPECT_EQ(info.ulSessionCount, 1U);
    EXPECT_EQ(info.ulRwSessionCount, 1U);
  }
  EXPECT_LE(info.ulMinPinLen, 4U);
  EXPECT_GE(info.ulMaxPinLen, 32U);
  const auto other = make_token(bench.module(), "other");
  const auto other_info = bench.module().token_info(other);
  EXPECT_NE(serial, std::string(reinterpret_cast<const char*>(other_info.serialNumber), 16));
}

TEST(Mechanisms, EveryListedMechanismHasItsInfoAndStandsThereOnce) {
  TestToken token;
  auto list = token.module().mechanisms(token.slot());
  for (const auto type : list) {
    CK_MECHANISM_INFO info{};
    ASSERT_THAT(token->C_GetMechanismInfo(token.slot(), type, &info), IsOk()) << std::hex << type;
    EXPECT_LE(info.ulMinKeySize, info.ulMaxKeySize) << std::hex << type;
    EXPECT_NE(info.flags, 0U) << std::hex << type;
  }
  std::ranges::sort(list);
  EXPECT_EQ(std::ranges::adjacent_find(list), list.end());
  EXPECT_THAT(list,
              IsSupersetOf(std::vector<CK_MECHANISM_TYPE>{
                  CKM_AES_KEY_GEN, CKM_AES_GCM, CKM_AES_CMAC, CKM_AES_KEY_WRAP_KWP,
                  CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, CKM_ECDSA_SHA256, CKM_ECDSA_SHA384, CKM_SHA256,
                  CKM_SHA384, CKM_SHA512, CKM_SHA256_HMAC, CKM_SHA384_HMAC, CKM_SHA512_HMAC}));
}

TEST(Mechanisms, A11_A13_A14_WhatIsLeftOutOnPurposeIsNotListed) {
  TestToken token;
  const auto list = token.module().mechanisms(token.slot());
  for (const CK_MECHANISM_TYPE absent :
       {CKM_AES_ECB, CKM_DES3_CBC, CKM_RC4, CKM_MD5, CKM_MD5_RSA_PKCS, CKM_RSA_X_509,
        CKM_CONCATENATE_BASE_AND_KEY, CKM_CONCATENATE_BASE_AND_DATA, CKM_CONCATENATE_DATA_AND_BASE,
        CKM_XOR_BASE_AND_DATA, CKM_EXTRACT_KEY_FROM_KEY, CKM_AES_ECB_ENCRYPT_DATA,
        CKM_AES_CBC_ENCRYPT_DATA, CKM_SHA256_KEY_DERIVATION}) {
    EXPECT_THAT(list, Not(Contains(absent))) << std::hex << absent;
    CK_MECHANISM_INFO info{};
    EXPECT_THAT(token->C_GetMechanismInfo(token.slot(), absent, &info),
                ReturnsRv(CKR_MECHANISM_INVALID));
  }
}

TEST(Mechanisms, FlagsSayWhatEachMechanismServes) {
  TestToken token;
  const auto flags = [&](CK_MECHANISM_TYPE type) {
    CK_MECHANISM_INFO info{};
    must(token->C_GetMechanismInfo(token.slot(), type, &info));
    return info.flags;
  };
  EXPECT_EQ(flags(CKM_AES_KEY_GEN) & CKF_GENERATE, static_cast<CK_FLAGS>(CKF_GENERATE));
  EXPECT_EQ(flags(CKM_AES_GCM) & (CKF_ENCRYPT | CKF_DECRYPT),
            static_cast<CK_FLAGS>(CKF_ENCRYPT | CKF_DECRYPT));
  EXPECT_EQ(flags(CKM_AES_CMAC) & (CKF_SIGN | CKF_VERIFY),
            static_cast<CK_FLAGS>(CKF_SIGN | CKF_VERIFY));
  EXPECT_EQ(flags(CKM_AES_KEY_WRAP_KWP) & (CKF_WRAP | CKF_UNWRAP),
            static_cast<CK_FLAGS>(CKF_WRAP | CKF_UNWRAP));
  EXPECT_EQ(flags(CKM_EC_KEY_PAIR_GEN) & CKF_GENERATE_KEY_PAIR,
            static_cast<CK_FLAGS>(CKF_GENERATE_KEY_PAIR));
  EXPECT_EQ(flags(CKM_ECDSA_SHA256) & (CKF_SIGN | CKF_VERIFY),
            static_cast<CK_FLAGS>(CKF_SIGN | CKF_VERIFY));
  EXPECT_EQ(flags(CKM_SHA256) & CKF_DIGEST, static_cast<CK_FLAGS>(CKF_DIGEST));
  EXPECT_EQ(flags(CKM_AES_GCM) & CKF_HW, 0U);
}

}  // namespace
}  // namespace tallystick::test
