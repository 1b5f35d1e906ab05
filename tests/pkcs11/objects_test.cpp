// Objects: made, copied, found, destroyed.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(Objects, ADataObjectKeepsItsAttributesOverARestart) {
  TestToken token;
  (void)must(token.session().create(Attributes()
                                        .number(CKA_CLASS, CKO_DATA)
                                        .flag(CKA_TOKEN, true)
                                        .flag(CKA_PRIVATE, true)
                                        .text(CKA_LABEL, "an Übung 'quoted\" label;--")
                                        .text(CKA_APPLICATION, "tests")
                                        .bytes(CKA_OBJECT_ID, core::Bytes{6, 1, 42})
                                        .bytes(CKA_VALUE, core::Bytes(5000, 0xA5))));
  token.restart_and_login();
  const auto found = token.session().find(Attributes().text(CKA_APPLICATION, "tests"));
  ASSERT_EQ(found.size(), 1U);
  const auto& session = token.session();
  EXPECT_EQ(must(session.get(found[0], CKA_LABEL)), bytes("an Übung 'quoted\" label;--"));
  EXPECT_EQ(must(session.get(found[0], CKA_OBJECT_ID)), (core::Bytes{6, 1, 42}));
  EXPECT_EQ(must(session.get(found[0], CKA_VALUE)), core::Bytes(5000, 0xA5));
  EXPECT_TRUE(session.flag(found[0], CKA_TOKEN));
  EXPECT_TRUE(session.flag(found[0], CKA_PRIVATE));
  EXPECT_TRUE(session.flag(found[0], CKA_MODIFIABLE));
}

TEST(Objects, EveryKindOfKeyStillWorksAfterARestart) {
  TestToken token;
  const auto on_token = Attributes().flag(CKA_TOKEN, true);
  const auto aes = generate_aes(token.session(), on_token);
  const auto pair = generate_ec(token.session(), core::Curve::kP384, on_token, on_token);
  Gcm gcm(core::Bytes(12, 1));
  const auto sealed = must(token.session().encrypt(gcm, aes, bytes("data")));
  const auto signature =
      must(token.session().sign(CKM_ECDSA_SHA384, pair.private_key, bytes("data")));
  token.restart_and_login();
  auto& session = token.session();
  const auto again = session.find(Attributes().number(CKA_KEY_TYPE, CKK_AES));
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(must(session.decrypt(gcm, again[0], sealed)), bytes("data"));
  const auto publics = session.find(Attributes()
                                        .number(CKA_CLASS, CKO_PUBLIC_KEY)
                                        .bytes(CKA_EC_PARAMS, ec_params(core::Curve::kP384)));
  ASSERT_EQ(publics.size(), 1U);
  EXPECT_THAT(session.verify(CKM_ECDSA_SHA384, publics[0], bytes("data"), signature), IsOk());
}

TEST(Objects, PublicKeysAndCertificatesAreReadableBeforeLogin) {
  TestToken token;
  const auto pair = generate_ec(token.session(), core::Curve::kP256,
                                Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, "pair"),
                                Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, "pair"));
  const auto xy = public_xy(token.session(), pair.public_key);
  token.close_session();
  token.restart();
  Session session(token.functions(), slot_of(token.module(), "test"));
  const auto found = session.find(Attributes().text(CKA_LABEL, "pair"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(session.number(found[0], CKA_CLASS), static_cast<CK_ULONG>(CKO_PUBLIC_KEY));
  EXPECT_EQ(public_xy(session, found[0]), xy);
}

TEST(Objects, AreFoundByEveryAttributeOfThePatternTogether) {
  TestToken token;
  auto& session = token.session();
  const auto a1 = data_object(session, "a", false, false);
  const auto a2 = data_object(session, "a", false, true);
  const auto b = data_object(session, "b", false, false);
  const auto data = Attributes().number(CKA_CLASS, CKO_DATA);
  EXPECT_THAT(session.find(Attributes(data).text(CKA_LABEL, "a")), UnorderedElementsAre(a1, a2));
  EXPECT_THAT(session.find(Attributes(data).text(CKA_LABEL, "a").flag(CKA_PRIVATE, true)),
              ElementsAre(a2));
  EXPECT_THAT(session.find(data), UnorderedElementsAre(a1, a2, b));
  EXPECT_THAT(session.find(Attributes().text(CKA_LABEL, "")), IsEmpty());
  EXPECT_THAT(session.find(Attributes().text(CKA_LABEL, "ab")), IsEmpty());
  EXPECT_THAT(session.find(Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY).text(CKA_LABEL, "a")),
              IsEmpty());
  EXPECT_THAT(session.find(Attributes().number(0x7FFFFFFF, 1)), IsEmpty());
}

// What is not given reads as empty, and is found so.
TEST(Objects, WithoutALabelAreFoundByAnEmptyOne) {
  TestToken token;
  auto& session = token.session();
  const auto key = must(session.create(secret_key(CKK_AES, core::Bytes(32, 1))));
  EXPECT_EQ(must(session.get(key, CKA_LABEL)), core::Bytes());
  const auto pattern = Attributes().number(CKA_KEY_TYPE, CKK_AES);
  EXPECT_THAT(session.find(Attributes(pattern).text(CKA_LABEL, "")), ElementsAre(key));
  EXPECT_THAT(session.find(Attributes(pattern).bytes(CKA_ID, {})), ElementsAre(key));
}

TEST(Objects, A18_ASensitiveValueIsNeverFound) {
  TestToken token;
  auto& session = token.session();
  const core::Bytes value(32, 0x5A);
  const auto hidden = must(session.create(secret_key(CKK_AES, value)));
  EXPECT_TRUE(session.flag(hidden, CKA_SENSITIVE));
  EXPECT_THAT(session.find(Attributes().bytes(CKA_VALUE, value)), IsEmpty());
  const auto unextractable = must(session.create(secret_key(CKK_GENERIC_SECRET, value)
                                                     .flag(CKA_SENSITIVE, false)
                                                     .flag(CKA_EXTRACTABLE, false)));
  EXPECT_NE(session.get(unextractable, CKA_VALUE).rv, CKR_OK);
  EXPECT_THAT(session.find(Attributes().bytes(CKA_VALUE, value)), IsEmpty());
  const auto scalar = core::Bytes(32, 1);
  (void)must(session.create(ec_private_key(core::Curve::kP256, scalar)));
  EXPECT_THAT(session.find(Attributes().bytes(CKA_VALUE, scalar)), IsEmpty());
}

TEST(Objects, ASearchGivesWhatWasThereWhenItBeganAndOneAtATime) {
  TestToken token;
  for (int i = 0; i < 5; ++i) (void)data_object(token.session(), "one of five", false, false);
  Attributes pattern;
  pattern.text(CKA_LABEL, "one of five");
  must(token->C_FindObjectsInit(token.handle(), pattern.data(), pattern.size()));
  EXPECT_THAT(token->C_FindObjectsInit(token.handle(), nullptr, 0),
              ReturnsRv(CKR_OPERATION_ACTIVE));
  (void)data_object(token.session(), "one of five", false, false);
  std::array<CK_OBJECT_HANDLE, 2> two{};
  CK_ULONG count = 0;
  std::vector<CK_ULONG> counts;
  do {
    must(token->C_FindObjects(token.handle(), two.data(), two.size(), &count));
    counts.push_back(count);
  } while (count != 0);
  EXPECT_THAT(counts, ElementsAre(2, 2, 1, 0));
  must(token->C_FindObjectsFinal(token.handle()));
  EXPECT_THAT(token->C_FindObjectsFinal(token.handle()), ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  EXPECT_THAT(token->C_FindObjects(token.handle(), two.data(), two.size(), &count),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
}

TEST(Objects, ACopyHasTheChangesAndTheOriginalHasNot) {
  TestToken token;
  auto& session = token.session();
  const auto original = data_object(session, "original", false, false);
  const auto copy = must(session.copy(
      original,
      Attributes().text(CKA_LABEL, "copy").flag(CKA_TOKEN, true).flag(CKA_PRIVATE, true)));
  EXPECT_EQ(must(session.get(copy, CKA_LABEL)), bytes("copy"));
  EXPECT_EQ(must(session.get(copy, CKA_VALUE)), bytes("original"));
  EXPECT_TRUE(session.flag(copy, CKA_TOKEN));
  EXPECT_TRUE(session.flag(copy, CKA_PRIVATE));
  EXPECT_EQ(must(session.get(original, CKA_LABEL)), bytes("original"));
  EXPECT_FALSE(session.flag(original, CKA_TOKEN));
  EXPECT_NE(must(session.get(copy, CKA_UNIQUE_ID)), must(session.get(original, CKA_UNIQUE_ID)));
}

TEST(Objects, ACopiedKeyComputesTheSame) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  const auto copy = must(session.copy(key, Attributes().flag(CKA_TOKEN, true)));
  Gcm gcm(core::Bytes(12, 1));
  EXPECT_EQ(must(session.encrypt(gcm, key, bytes("x"))),
            must(session.encrypt(gcm, copy, bytes("x"))));
}

TEST(Objects, CopyableAndDestroyableAreObeyed) {
  TestToken token;
  auto& session = token.session();
  const auto fixed = must(session.create(Attributes()
                                             .number(CKA_CLASS, CKO_DATA)
                                             .flag(CKA_COPYABLE, false)
                                             .flag(CKA_MODIFIABLE, false)
                                             .flag(CKA_DESTROYABLE, false)));
  EXPECT_THAT(session.copy(fixed, {}).rv, ReturnsRv(CKR_ACTION_PROHIBITED));
  EXPECT_THAT(session.set(fixed, Attributes().text(CKA_LABEL, "x")),
              ReturnsRv(CKR_ACTION_PROHIBITED));
  EXPECT_THAT(session.destroy(fixed), ReturnsRv(CKR_ACTION_PROHIBITED));
}

TEST(Objects, WhatCannotBeMadeSaysWhatIsMissing) {
  TestToken token;
  auto& session = token.session();
  EXPECT_THAT(session.create(Attributes().text(CKA_LABEL, "no class")).rv,
              ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(session.create(Attributes().number(CKA_CLASS, CKO_SECRET_KEY)).rv,
              ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(
      session.create(Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES))
          .rv,
      ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(session
                  .create(Attributes()
                              .number(CKA_CLASS, CKO_PUBLIC_KEY)
                              .number(CKA_KEY_TYPE, CKK_EC)
                              .bytes(CKA_EC_PARAMS, ec_params(core::Curve::kP256)))
                  .rv,
              ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(session.generate(CKM_AES_KEY_GEN, {}).rv, ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(session.generate_pair(CKM_EC_KEY_PAIR_GEN, {}, {}).rv,
              ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(session.create(Attributes().number(CKA_CLASS, 0x12345)).rv,
              ::testing::AnyOf(ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID),
                               ReturnsRv(CKR_TEMPLATE_INCONSISTENT)));
}

TEST(Objects, A24_WeakOrWrongKeysAreNotImported) {
  TestToken token;
  auto& session = token.session();
  for (const std::size_t size : {0UL, 1UL, 15UL, 17UL, 31UL, 33UL, 64UL}) {
    EXPECT_NE(session.create(secret_key(CKK_AES, core::Bytes(size, 1))).rv, CKR_OK) << size;
  }
  // Off the curve; the point at infinity; a coordinate missing; compressed.
  auto off = core::Bytes(64, 1);
  EXPECT_NE(session.create(ec_public_key(core::Curve::kP256, off)).rv, CKR_OK);
  const auto base = Attributes()
                        .number(CKA_CLASS, CKO_PUBLIC_KEY)
                        .number(CKA_KEY_TYPE, CKK_EC)
                        .bytes(CKA_EC_PARAMS, ec_params(core::Curve::kP256));
  for (const auto& point : {core::Bytes{0x04, 0x01, 0x00}, core::Bytes{0x04, 0x01, 0x04},
                            core::Bytes{0x04, 0x21, 0x04}, core::Bytes{}}) {
    EXPECT_NE(session.create(Attributes(base).bytes(CKA_EC_POINT, point)).rv, CKR_OK);
  }
  // A scalar of zero, and one that is the order of the group.
  EXPECT_NE(session.create(ec_private_key(core::Curve::kP256, core::Bytes(32, 0))).rv, CKR_OK);
  const core::Bytes order = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
                             0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
                             0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};
  EXPECT_NE(session.create(ec_private_key(core::Curve::kP256, order)).rv, CKR_OK);
  // A curve that nobody named.
  auto unknown = ec_params(core::Curve::kP256);
  unknown.back() = 0x55;
  EXPECT_NE(session
                .create(Attributes()
                            .number(CKA_CLASS, CKO_PRIVATE_KEY)
                            .number(CKA_KEY_TYPE, CKK_EC)
                            .bytes(CKA_EC_PARAMS, unknown)
                            .bytes(CKA_VALUE, core::Bytes(32, 1)))
                .rv,
            CKR_OK);
}

TEST(Objects, AGreatManyObjectsAreFoundByLabelAndId) {
  TestToken token;
  auto& session = token.session();
  constexpr int kObjects = 2000;
  for (int i = 0; i < kObjects; ++i) {
    (void)data_object(session, "object " + std::to_string(i), false, false);
  }
  EXPECT_EQ(session.find(Attributes().number(CKA_CLASS, CKO_DATA)).size(), std::size_t{kObjects});
  for (const int i : {0, 1, 777, kObjects - 1}) {
    EXPECT_EQ(session.find(Attributes().text(CKA_LABEL, "object " + std::to_string(i))).size(), 1U);
  }
}

TEST(Objects, TheSizeOfAnObjectGrowsWithItsValue) {
  TestToken token;
  CK_ULONG small = 0;
  CK_ULONG large = 0;
  must(token->C_GetObjectSize(token.handle(), data_object(token.session(), "x", false, false),
                              &small));
  must(token->C_GetObjectSize(
      token.handle(), data_object(token.session(), std::string(1000, 'x'), false, false), &large));
  EXPECT_GE(large, small + 999);
}

}  // namespace
}  // namespace tallystick::test
