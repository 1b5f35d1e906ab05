// A05, A07, A08, A09: which attribute may become what, on both functions that change attributes.
#include <gtest/gtest.h>

#include <array>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

struct Move {
  const char* name;
  CK_ATTRIBUTE_TYPE type;
  bool up;    // false → true allowed
  bool down;  // true → false allowed
};

// The table of allowed moves for a secret key, once it is there.
constexpr auto kMoves = std::to_array<Move>({
    {"SENSITIVE", CKA_SENSITIVE, true, false},
    {"EXTRACTABLE", CKA_EXTRACTABLE, false, true},
    {"WRAP_WITH_TRUSTED", CKA_WRAP_WITH_TRUSTED, true, false},
    {"COPYABLE", CKA_COPYABLE, false, true},
    {"DESTROYABLE", CKA_DESTROYABLE, false, true},
    {"ENCRYPT", CKA_ENCRYPT, false, true},
    {"DECRYPT", CKA_DECRYPT, false, true},
    {"SIGN", CKA_SIGN, false, true},
    {"VERIFY", CKA_VERIFY, false, true},
    {"WRAP", CKA_WRAP, false, true},
    {"UNWRAP", CKA_UNWRAP, false, true},
    {"DERIVE", CKA_DERIVE, false, true},
});

class AttributeMoves : public ::testing::TestWithParam<Move> {
 protected:
  // An imported AES key on which the attribute has this value and everything else allows changes.
  CK_OBJECT_HANDLE key_with(bool value) {
    auto attributes = secret_key(CKK_AES, core::Bytes(32, 3));
    attributes.flag(GetParam().type, value);
    if (GetParam().type != CKA_SENSITIVE) attributes.flag(CKA_SENSITIVE, false);
    if (GetParam().type != CKA_EXTRACTABLE) attributes.flag(CKA_EXTRACTABLE, true);
    // One use stands in the template, so that no default adds others.
    if (GetParam().type != CKA_SIGN) attributes.flag(CKA_SIGN, true);
    return must(token_.session().create(attributes));
  }
  TestToken token_;
};
INSTANTIATE_TEST_SUITE_P(SecretKey, AttributeMoves, ::testing::ValuesIn(kMoves),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(AttributeMoves, A05_SetAttributeValueMovesItOneWayOnly) {
  auto& session = token_.session();
  const auto& move = GetParam();
  for (const bool from : {false, true}) {
    for (const bool to : {false, true}) {
      const auto key = key_with(from);
      ASSERT_EQ(session.flag(key, move.type), from);
      const auto rv = session.set(key, Attributes().flag(move.type, to));
      const bool allowed = from == to || (to ? move.up : move.down);
      if (allowed) {
        EXPECT_THAT(rv, IsOk()) << from << " to " << to;
      } else {
        EXPECT_THAT(rv, ReturnsRv(CKR_ATTRIBUTE_READ_ONLY)) << from << " to " << to;
      }
      EXPECT_EQ(session.flag(key, move.type), allowed ? to : from);
    }
  }
}

TEST_P(AttributeMoves, A05_CopyObjectMovesItOneWayOnly) {
  auto& session = token_.session();
  const auto& move = GetParam();
  for (const bool from : {false, true}) {
    if (move.type == CKA_COPYABLE && !from) continue;
    for (const bool to : {false, true}) {
      const auto key = key_with(from);
      const auto copy = session.copy(key, Attributes().flag(move.type, to));
      const bool allowed = from == to || (to ? move.up : move.down);
      ASSERT_EQ(copy.rv == CKR_OK, allowed) << from << " to " << to << " " << rv_name(copy.rv);
      if (allowed) {
        EXPECT_EQ(session.flag(copy.value, move.type), to);
      } else {
        EXPECT_THAT(copy.rv, ::testing::AnyOf(ReturnsRv(CKR_ATTRIBUTE_READ_ONLY),
                                              ReturnsRv(CKR_TEMPLATE_INCONSISTENT)));
      }
    }
  }
}

TEST_P(AttributeMoves, A05_ACopyWithoutATemplateKeepsIt) {
  auto& session = token_.session();
  for (const bool value : {false, true}) {
    if (GetParam().type == CKA_COPYABLE && !value) continue;
    const auto copy = must(session.copy(key_with(value), {}));
    EXPECT_EQ(session.flag(copy, GetParam().type), value);
  }
}

struct Fixed {
  const char* name;
  CK_ATTRIBUTE_TYPE type;
  bool is_flag;
};
// Never a caller's to give, on no path (A09).
constexpr auto kComputed = std::to_array<Fixed>({
    {"ALWAYS_SENSITIVE", CKA_ALWAYS_SENSITIVE, true},
    {"NEVER_EXTRACTABLE", CKA_NEVER_EXTRACTABLE, true},
    {"LOCAL", CKA_LOCAL, true},
    {"KEY_GEN_MECHANISM", CKA_KEY_GEN_MECHANISM, false},
    {"UNIQUE_ID", CKA_UNIQUE_ID, false},
    {"TS_FAMILY_ID", 0x80545311UL, false},
    {"TS_ROLE", 0x80545315UL, false},
    {"TS_LABEL", 0x80545317UL, false},
    {"TS_DEVICE_ID", 0x80545318UL, false},
    {"TS_NONCE", 0x8054531CUL, false},
});

class ComputedAttributes : public ::testing::TestWithParam<Fixed> {
 protected:
  static Attributes claim() {
    Attributes out;
    if (GetParam().is_flag) return out.flag(GetParam().type, true);
    return out.number(GetParam().type, 5);
  }
  static auto refused() {
    return ::testing::AnyOf(ReturnsRv(CKR_ATTRIBUTE_READ_ONLY),
                            ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  }
  TestToken token_;
};
INSTANTIATE_TEST_SUITE_P(All, ComputedAttributes, ::testing::ValuesIn(kComputed),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(ComputedAttributes, A09_AreRefusedInEveryTemplate) {
  auto& session = token_.session();
  const auto claim = ComputedAttributes::claim();
  EXPECT_THAT(session.create(secret_key(CKK_AES, core::Bytes(32, 1)).append(claim)).rv, refused());
  EXPECT_THAT(session.generate(CKM_AES_KEY_GEN, aes_template(32).append(claim)).rv, refused());
  EXPECT_THAT(
      session
          .generate_pair(CKM_EC_KEY_PAIR_GEN,
                         Attributes().bytes(CKA_EC_PARAMS, ec_params(core::Curve::kP256)), claim)
          .rv,
      ::testing::AnyOf(refused(), ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID)));
  const auto key = generate_aes(session, Attributes().flag(CKA_EXTRACTABLE, true));
  EXPECT_THAT(session.set(key, claim), refused());
  EXPECT_THAT(session.copy(key, claim).rv, refused());
  const auto wrapping =
      generate_aes(session, Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  const auto blob = must(session.wrap(CKM_AES_KEY_WRAP_KWP, wrapping, key));
  EXPECT_THAT(session
                  .unwrap(CKM_AES_KEY_WRAP_KWP, wrapping, blob,
                          Attributes()
                              .number(CKA_CLASS, CKO_SECRET_KEY)
                              .number(CKA_KEY_TYPE, CKK_AES)
                              .append(claim))
                  .rv,
              refused());
}

TEST(Trust, A07_OnlyTheSoGivesItAndOnlyToWhatIsThere) {
  TestToken token;
  auto& session = token.session();
  const auto trusted = Attributes().flag(CKA_TRUSTED, true);
  const auto public_aes = secret_key(CKK_AES, core::Bytes(32, 1))
                              .flag(CKA_WRAP, true)
                              .flag(CKA_PRIVATE, false)
                              .flag(CKA_TOKEN, true);
  EXPECT_NE(session.create(Attributes(public_aes).append(trusted)).rv, CKR_OK);
  EXPECT_NE(session.generate(CKM_AES_KEY_GEN, aes_template(32).append(trusted)).rv, CKR_OK);
  const auto key = must(session.create(public_aes));
  EXPECT_FALSE(session.flag(key, CKA_TRUSTED));
  EXPECT_THAT(session.set(key, trusted), ReturnsRv(CKR_ATTRIBUTE_READ_ONLY));
  EXPECT_NE(session.copy(key, trusted).rv, CKR_OK);
  must(session.logout());
  EXPECT_NE(session.set(key, trusted), CKR_OK);
  must(session.login(CKU_SO, kSoPin));
  EXPECT_THAT(session.set(key, trusted), IsOk());
  EXPECT_TRUE(session.flag(key, CKA_TRUSTED));
  EXPECT_NE(session.create(Attributes(public_aes).append(trusted)).rv, CKR_OK);
  must(session.logout());
  must(session.login(CKU_USER, kUserPin));
  // It does not travel with a copy.
  const auto copy = session.copy(key, {});
  if (copy.rv == CKR_OK) {
    EXPECT_FALSE(session.flag(copy.value, CKA_TRUSTED));
  }
}

TEST(Trust, A08_WrapWithTrustedHoldsAgainstAnUntrustedKey) {
  TestToken token;
  auto& session = token.session();
  const auto wrapping = generate_aes(session, Attributes().flag(CKA_WRAP, true));
  const auto key = generate_aes(
      session, Attributes().flag(CKA_EXTRACTABLE, true).flag(CKA_WRAP_WITH_TRUSTED, true));
  EXPECT_THAT(session.wrap(CKM_AES_KEY_WRAP_KWP, wrapping, key).rv,
              ReturnsRv(CKR_KEY_NOT_WRAPPABLE));
  EXPECT_THAT(session.set(key, Attributes().flag(CKA_WRAP_WITH_TRUSTED, false)),
              ReturnsRv(CKR_ATTRIBUTE_READ_ONLY));
}

TEST(AttributeChanges, A05_NothingButNamesAndUsesChangesOnceAKeyIsThere) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session, Attributes().flag(CKA_EXTRACTABLE, true));
  const auto read_only = ReturnsRv(CKR_ATTRIBUTE_READ_ONLY);
  EXPECT_THAT(session.set(key, Attributes().number(CKA_CLASS, CKO_DATA)), read_only);
  EXPECT_THAT(session.set(key, Attributes().number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)), read_only);
  EXPECT_THAT(session.set(key, Attributes().bytes(CKA_VALUE, core::Bytes(32, 0))), read_only);
  EXPECT_THAT(session.set(key, Attributes().number(CKA_VALUE_LEN, 16)), read_only);
  EXPECT_THAT(session.set(key, Attributes().flag(CKA_TOKEN, true)), read_only);
  EXPECT_THAT(session.set(key, Attributes().flag(CKA_PRIVATE, false)), read_only);
  EXPECT_THAT(session.set(key, Attributes().numbers(CKA_ALLOWED_MECHANISMS, {CKM_AES_GCM})),
              read_only);
  EXPECT_THAT(session.copy(key, Attributes().flag(CKA_PRIVATE, false)).rv,
              ::testing::AnyOf(read_only, ReturnsRv(CKR_TEMPLATE_INCONSISTENT)));
  EXPECT_THAT(session.copy(key, Attributes().number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)).rv,
              ::testing::AnyOf(read_only, ReturnsRv(CKR_TEMPLATE_INCONSISTENT)));
  EXPECT_THAT(session.set(key, Attributes().text(CKA_LABEL, "name").bytes(CKA_ID, core::Bytes{1})),
              IsOk());
  EXPECT_EQ(must(session.get(key, CKA_LABEL)), bytes("name"));
}

TEST(AttributeChanges, A05_OfSeveralChangesAllAreMadeOrNone) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session);
  EXPECT_THAT(session.set(key, Attributes().text(CKA_LABEL, "new").flag(CKA_SENSITIVE, false)),
              ReturnsRv(CKR_ATTRIBUTE_READ_ONLY));
  EXPECT_NE(session.get(key, CKA_LABEL).value, bytes("new"));
}

}  // namespace
}  // namespace tallystick::test
