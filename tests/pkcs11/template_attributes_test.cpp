// CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE: templates as the values of
// attributes.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

// The bytes of the caller's array; `inner` must outlive them.
core::ByteView array_of(Attributes& inner) {
  return {reinterpret_cast<const std::uint8_t*>(inner.data()), inner.size() * sizeof(CK_ATTRIBUTE)};
}
Attributes nested(CK_ATTRIBUTE_TYPE type, Attributes& inner) {
  return Attributes().bytes(type, array_of(inner));
}
Attributes secret(CK_KEY_TYPE type = CKK_AES) {
  return Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, type);
}

CK_RV generate(Session& session, const Attributes& more) {
  return session.generate(CKM_AES_KEY_GEN, Attributes().number(CKA_VALUE_LEN, 32).append(more)).rv;
}

TEST(TemplateAttributes, A23_AWrapTemplateSaysWhichKeysAreWrapped) {
  TestToken token;
  auto& session = token.session();
  auto inner = Attributes().number(CKA_KEY_TYPE, CKK_AES).text(CKA_LABEL, "goes");
  const auto kek = generate_aes(session, wraps().append(nested(CKA_WRAP_TEMPLATE, inner)));
  const auto fits = generate_aes(session, extractable().text(CKA_LABEL, "goes"));
  const auto other_label = generate_aes(session, extractable().text(CKA_LABEL, "goe"));
  const auto no_label = generate_aes(session, extractable());
  const auto other_type = must(session.create(secret_key(CKK_GENERIC_SECRET, core::Bytes(32, 1))
                                                  .append(extractable())
                                                  .text(CKA_LABEL, "goes")));
  EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, fits).rv, IsOk());
  for (const auto key : {other_label, no_label, other_type}) {
    EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, key).rv, ReturnsRv(CKR_KEY_HANDLE_INVALID));
  }
  // An attribute that the key does not have at all does not match.
  auto foreign = Attributes().bytes(CKA_SUBJECT, bytes("x"));
  const auto narrow = generate_aes(session, wraps().append(nested(CKA_WRAP_TEMPLATE, foreign)));
  EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, narrow, fits).rv,
              ReturnsRv(CKR_KEY_HANDLE_INVALID));
}

TEST(TemplateAttributes, A23_AWrapTemplateHoldsOverARestartAndInACopy) {
  TestToken token;
  {
    auto& session = token.session();
    auto inner = Attributes().flag(CKA_LOCAL, true);
    const auto kek = generate_aes(session, wraps()
                                               .append(nested(CKA_WRAP_TEMPLATE, inner))
                                               .flag(CKA_TOKEN, true)
                                               .text(CKA_LABEL, "kek"));
    (void)must(session.copy(kek, Attributes().text(CKA_LABEL, "copy")));
  }
  token.restart_and_login();
  auto& session = token.session();
  const auto born = generate_aes(session, extractable());
  const auto brought =
      must(session.create(secret_key(CKK_AES, core::Bytes(32, 7)).append(extractable())));
  for (const auto* const label : {"kek", "copy"}) {
    const auto keys = session.find(Attributes().text(CKA_LABEL, label));
    ASSERT_EQ(keys.size(), 1U);
    EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, keys[0], born).rv, IsOk()) << label;
    EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, keys[0], brought).rv,
                ReturnsRv(CKR_KEY_HANDLE_INVALID))
        << label;
  }
}

TEST(TemplateAttributes, A04_AnUnwrapTemplateIsAddedToWhatIsUnwrapped) {
  TestToken token;
  auto& session = token.session();
  auto inner = Attributes()
                   .number(CKA_KEY_TYPE, CKK_AES)
                   .flag(CKA_EXTRACTABLE, false)
                   .flag(CKA_DECRYPT, true)
                   .flag(CKA_ENCRYPT, false);
  const auto kek = generate_aes(session, wraps().append(nested(CKA_UNWRAP_TEMPLATE, inner)));
  const auto key = generate_aes(session, extractable());
  const auto blob = must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, key));
  // The key type comes from the template alone.
  const auto back = must(session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob,
                                        Attributes().number(CKA_CLASS, CKO_SECRET_KEY)));
  EXPECT_EQ(session.number(back, CKA_KEY_TYPE), CKK_AES);
  EXPECT_FALSE(session.flag(back, CKA_EXTRACTABLE));
  EXPECT_TRUE(session.flag(back, CKA_DECRYPT));
  EXPECT_FALSE(session.flag(back, CKA_ENCRYPT));
  // Said again it is no contradiction.
  EXPECT_THAT(session
                  .unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob,
                          secret().flag(CKA_EXTRACTABLE, false).text(CKA_LABEL, "x"))
                  .rv,
              IsOk());
}

TEST(TemplateAttributes, A04_ATemplateThatContradictsTheUnwrapTemplateMakesNothing) {
  TestToken token;
  auto& session = token.session();
  auto inner = Attributes().flag(CKA_EXTRACTABLE, false).flag(CKA_SIGN, false);
  const auto kek = generate_aes(session, wraps().append(nested(CKA_UNWRAP_TEMPLATE, inner)));
  const auto blob =
      must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, generate_aes(session, extractable())));
  const auto before = session.find({}).size();
  EXPECT_THAT(session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, secret().append(extractable())).rv,
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  EXPECT_THAT(session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, secret().flag(CKA_SIGN, true)).rv,
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  EXPECT_EQ(session.find({}).size(), before);
}

TEST(TemplateAttributes, AreReadInTwoStepsAndTheirElementsToo) {
  TestToken token;
  auto& session = token.session();
  auto inner = Attributes()
                   .text(CKA_LABEL, "a label")
                   .flag(CKA_EXTRACTABLE, true)
                   .number(CKA_KEY_TYPE, CKK_AES);
  const auto key = generate_aes(session, wraps().append(nested(CKA_WRAP_TEMPLATE, inner)));

  CK_ATTRIBUTE asked{CKA_WRAP_TEMPLATE, nullptr, 0};
  ASSERT_THAT(token->C_GetAttributeValue(token.handle(), key, &asked, 1), IsOk());
  ASSERT_EQ(asked.ulValueLen, 3 * sizeof(CK_ATTRIBUTE));

  std::array<CK_ATTRIBUTE, 3> elements{};
  asked.pValue = elements.data();
  ASSERT_THAT(token->C_GetAttributeValue(token.handle(), key, &asked, 1), IsOk());
  EXPECT_EQ(asked.ulValueLen, 3 * sizeof(CK_ATTRIBUTE));
  std::array<core::Bytes, 3> values;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    values[i].resize(elements[i].ulValueLen);
    elements[i].pValue = values[i].data();
  }
  ASSERT_THAT(token->C_GetAttributeValue(token.handle(), key, &asked, 1), IsOk());
  std::size_t seen = 0;
  for (const auto& element : elements) {
    const core::ByteView value(static_cast<const std::uint8_t*>(element.pValue),
                               element.ulValueLen);
    if (element.type == CKA_LABEL && core::text_of(value) == "a label") ++seen;
    if (element.type == CKA_EXTRACTABLE && value.size() == 1 && value[0] == CK_TRUE) ++seen;
    const CK_ULONG aes = CKK_AES;
    if (element.type == CKA_KEY_TYPE && value.size() == sizeof aes &&
        std::memcmp(value.data(), &aes, sizeof aes) == 0) {
      ++seen;
    }
  }
  EXPECT_EQ(seen, 3U);
}

TEST(TemplateAttributes, BuffersThatAreTooSmallAreToldAndNotWrittenTo) {
  TestToken token;
  auto& session = token.session();
  auto inner = Attributes().text(CKA_LABEL, "a label").flag(CKA_EXTRACTABLE, true);
  const auto key = generate_aes(session, wraps().append(nested(CKA_WRAP_TEMPLATE, inner)));
  // Room for one element of two.
  std::array<CK_ATTRIBUTE, 2> elements{};
  elements[0] = {77, nullptr, 78};
  CK_ATTRIBUTE asked{CKA_WRAP_TEMPLATE, elements.data(), sizeof(CK_ATTRIBUTE)};
  EXPECT_THAT(token->C_GetAttributeValue(token.handle(), key, &asked, 1),
              ReturnsRv(CKR_BUFFER_TOO_SMALL));
  EXPECT_EQ(asked.ulValueLen, CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(elements[0].type, 77U);
  // Room for both, but not for the label's bytes; the other element is filled all the same.
  core::Bytes small(3, 0xEE);
  core::Bytes right(1, 0xEE);
  // Attributes come in the order of their numbers: CKA_LABEL is 3, CKA_EXTRACTABLE 0x162.
  elements[0] = {0, small.data(), small.size()};
  elements[1] = {0, right.data(), right.size()};
  asked = {CKA_WRAP_TEMPLATE, elements.data(), sizeof elements};
  EXPECT_THAT(token->C_GetAttributeValue(token.handle(), key, &asked, 1),
              ReturnsRv(CKR_BUFFER_TOO_SMALL));
  EXPECT_EQ(elements[0].type, CKA_LABEL);
  EXPECT_EQ(elements[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(small, core::Bytes(3, 0xEE));
  EXPECT_EQ(elements[1].ulValueLen, 1U);
  EXPECT_EQ(right[0], CK_TRUE);
}

TEST(TemplateAttributes, AreFoundByTheirValueWhateverTheOrder) {
  TestToken token;
  auto& session = token.session();
  auto inner = Attributes().text(CKA_LABEL, "x").flag(CKA_EXTRACTABLE, true);
  auto turned = Attributes().flag(CKA_EXTRACTABLE, true).text(CKA_LABEL, "x");
  auto other = Attributes().text(CKA_LABEL, "y").flag(CKA_EXTRACTABLE, true);
  const auto key = generate_aes(session, wraps().append(nested(CKA_WRAP_TEMPLATE, inner)));
  EXPECT_THAT(session.find(nested(CKA_WRAP_TEMPLATE, turned)), ::testing::ElementsAre(key));
  EXPECT_THAT(session.find(nested(CKA_WRAP_TEMPLATE, other)), ::testing::IsEmpty());
}

TEST(TemplateAttributes, AnEmptyOneAndAMissingOneRestrictNothing) {
  TestToken token;
  auto& session = token.session();
  Attributes empty;
  const auto kek = generate_aes(
      session,
      wraps().append(nested(CKA_WRAP_TEMPLATE, empty)).append(nested(CKA_UNWRAP_TEMPLATE, empty)));
  const auto blob =
      must(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, generate_aes(session, extractable())));
  EXPECT_THAT(session.unwrap(CKM_AES_KEY_WRAP_KWP, kek, blob, secret()).rv, IsOk());
  CK_ATTRIBUTE asked{CKA_WRAP_TEMPLATE, nullptr, 9};
  EXPECT_THAT(token->C_GetAttributeValue(token.handle(), kek, &asked, 1), IsOk());
  EXPECT_EQ(asked.ulValueLen, 0U);
  asked.type = CKA_DERIVE_TEMPLATE;
  EXPECT_THAT(token->C_GetAttributeValue(token.handle(), kek, &asked, 1),
              ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
}

TEST(TemplateAttributes, A23_DepthCountAndLengthsHaveLimits) {
  TestToken token;
  auto& session = token.session();
  const auto before = session.find({}).size();

  // One inside another, and a thousand.
  auto innermost = Attributes().flag(CKA_EXTRACTABLE, true);
  auto middle = nested(CKA_WRAP_TEMPLATE, innermost);
  EXPECT_THAT(generate(session, nested(CKA_WRAP_TEMPLATE, middle)),
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  std::vector<Attributes> chain(1000);
  chain[0].flag(CKA_EXTRACTABLE, true);
  for (std::size_t i = 1; i < chain.size(); ++i) {
    chain[i].bytes(CKA_UNWRAP_TEMPLATE, array_of(chain[i - 1]));
  }
  EXPECT_THAT(generate(session, nested(CKA_UNWRAP_TEMPLATE, chain.back())),
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  // One that names itself.
  CK_ATTRIBUTE self{CKA_WRAP_TEMPLATE, nullptr, sizeof(CK_ATTRIBUTE)};
  self.pValue = &self;
  CK_OBJECT_HANDLE key = 0;
  CK_ULONG length = 32;
  std::array<CK_ATTRIBUTE, 2> wanted = {{{CKA_VALUE_LEN, &length, sizeof length}, self}};
  Mechanism mechanism(CKM_AES_KEY_GEN);
  EXPECT_THAT(
      token->C_GenerateKey(token.handle(), mechanism.get(), wanted.data(), wanted.size(), &key),
      ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));

  // 65 elements, of 64 that are allowed.
  const CK_ATTRIBUTE one{CKA_LABEL, nullptr, 0};
  std::vector<CK_ATTRIBUTE> many(65, one);
  wanted[1] = {CKA_WRAP_TEMPLATE, many.data(), many.size() * sizeof(CK_ATTRIBUTE)};
  EXPECT_THAT(
      token->C_GenerateKey(token.handle(), mechanism.get(), wanted.data(), wanted.size(), &key),
      ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  // Lengths that are no array's, and a null pointer, inside and outside.
  for (const CK_ULONG size :
       {sizeof(CK_ATTRIBUTE) - 1, sizeof(CK_ATTRIBUTE) + 1,
        static_cast<std::size_t>(CK_UNAVAILABLE_INFORMATION), static_cast<std::size_t>(1) << 62U}) {
    wanted[1] = {CKA_WRAP_TEMPLATE, many.data(), size};
    EXPECT_THAT(
        token->C_GenerateKey(token.handle(), mechanism.get(), wanted.data(), wanted.size(), &key),
        ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID))
        << size;
  }
  for (const auto& bad :
       {CK_ATTRIBUTE{CKA_LABEL, nullptr, 1}, CK_ATTRIBUTE{CKA_LABEL, &length, 1UL << 40}}) {
    many[0] = bad;
    wanted[1] = {CKA_WRAP_TEMPLATE, many.data(), sizeof(CK_ATTRIBUTE)};
    EXPECT_THAT(
        token->C_GenerateKey(token.handle(), mechanism.get(), wanted.data(), wanted.size(), &key),
        ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  }
  EXPECT_EQ(session.find({}).size(), before);
}

TEST(TemplateAttributes, WhatTheyHoldIsCheckedLikeAnyTemplate) {
  TestToken token;
  auto& session = token.session();
  const auto before = session.find({}).size();
  auto value = Attributes().bytes(CKA_VALUE, core::Bytes(32, 1));
  EXPECT_THAT(generate(session, nested(CKA_WRAP_TEMPLATE, value)),
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  auto unknown = Attributes().bytes(0x12345, bytes("x"));
  EXPECT_THAT(generate(session, nested(CKA_WRAP_TEMPLATE, unknown)),
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  auto two = Attributes().bytes(CKA_EXTRACTABLE, core::Bytes(1, 2));
  EXPECT_THAT(generate(session, nested(CKA_WRAP_TEMPLATE, two)),
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  auto short_number = Attributes().bytes(CKA_KEY_TYPE, core::Bytes(4, 0));
  EXPECT_THAT(generate(session, nested(CKA_WRAP_TEMPLATE, short_number)),
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  auto twice = Attributes().text(CKA_LABEL, "a").text(CKA_LABEL, "a");
  EXPECT_THAT(generate(session, nested(CKA_WRAP_TEMPLATE, twice)),
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  auto good = Attributes().flag(CKA_EXTRACTABLE, true);
  EXPECT_THAT(
      generate(session, nested(CKA_WRAP_TEMPLATE, good).append(nested(CKA_WRAP_TEMPLATE, good))),
      ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  EXPECT_EQ(session.find({}).size(), before);
}

TEST(TemplateAttributes, AreGivenWhenTheKeyIsMadeAndNotLater) {
  TestToken token;
  auto& session = token.session();
  auto inner = Attributes().flag(CKA_EXTRACTABLE, true);
  Attributes empty;
  const auto key = generate_aes(session, wraps().append(nested(CKA_WRAP_TEMPLATE, inner)));
  for (auto* const next : {&inner, &empty}) {
    for (const auto type : {CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE}) {
      EXPECT_THAT(session.set(key, nested(type, *next)), ReturnsRv(CKR_ATTRIBUTE_READ_ONLY));
      EXPECT_THAT(session.copy(key, nested(type, *next)).rv, ReturnsRv(CKR_ATTRIBUTE_READ_ONLY));
    }
  }
  // Only on keys that have the use: a private key wraps nothing.
  EXPECT_THAT(session
                  .generate_pair(CKM_EC_KEY_PAIR_GEN,
                                 Attributes().bytes(CKA_EC_PARAMS, ec_params(core::Curve::kP256)),
                                 nested(CKA_WRAP_TEMPLATE, inner))
                  .rv,
              ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
}

}  // namespace
}  // namespace tallystick::test
