// A06, A62, A63: history attributes, attributes given twice, values of the wrong length.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

struct History {
  bool always_sensitive;
  bool never_extractable;
  bool local;
  CK_ULONG mechanism;
  bool operator==(const History&) const = default;
};
void PrintTo(const History& history, std::ostream* out) {
  *out << "{always sensitive " << history.always_sensitive << ", never extractable "
       << history.never_extractable << ", local " << history.local << ", mechanism " << std::hex
       << history.mechanism << "}";
}

History history(const Session& session, CK_OBJECT_HANDLE key) {
  return {session.flag(key, CKA_ALWAYS_SENSITIVE), session.flag(key, CKA_NEVER_EXTRACTABLE),
          session.flag(key, CKA_LOCAL), session.number(key, CKA_KEY_GEN_MECHANISM)};
}

TEST(HistoryAttributes, A06_AreComputedOnEachPath) {
  TestToken token;
  auto& session = token.session();
  const auto imported = must(session.create(secret_key(CKK_AES, core::Bytes(32, 1))));
  EXPECT_EQ(history(session, imported), (History{false, false, false, CK_UNAVAILABLE_INFORMATION}));
  const auto generated = generate_aes(session);
  EXPECT_EQ(history(session, generated), (History{true, true, true, CKM_AES_KEY_GEN}));
  const auto extractable = generate_aes(session, Attributes().flag(CKA_EXTRACTABLE, true));
  EXPECT_EQ(history(session, extractable), (History{true, false, true, CKM_AES_KEY_GEN}));
  const auto open =
      generate_aes(session, Attributes().flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true));
  EXPECT_EQ(history(session, open), (History{false, false, true, CKM_AES_KEY_GEN}));

  // Tightened afterwards, they keep the history of having been open; copies inherit it.
  must(session.set(open, Attributes().flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false)));
  EXPECT_EQ(history(session, open), (History{false, false, true, CKM_AES_KEY_GEN}));
  const auto copy = must(session.copy(generated, {}));
  EXPECT_TRUE(session.flag(copy, CKA_ALWAYS_SENSITIVE));
  EXPECT_TRUE(session.flag(copy, CKA_NEVER_EXTRACTABLE));
  const auto copy_of_open = must(session.copy(open, {}));
  EXPECT_FALSE(session.flag(copy_of_open, CKA_ALWAYS_SENSITIVE));
  EXPECT_FALSE(session.flag(copy_of_open, CKA_NEVER_EXTRACTABLE));

  const auto wrapping =
      generate_aes(session, Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  const auto blob = must(session.wrap(CKM_AES_KEY_WRAP_KWP, wrapping, extractable));
  const auto unwrapped = must(
      session.unwrap(CKM_AES_KEY_WRAP_KWP, wrapping, blob,
                     Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES)));
  EXPECT_EQ(history(session, unwrapped),
            (History{false, false, false, CK_UNAVAILABLE_INFORMATION}));

  const auto scalar = must(session.create(ec_private_key(core::Curve::kP256, core::Bytes(32, 1))));
  EXPECT_EQ(history(session, scalar), (History{false, false, false, CK_UNAVAILABLE_INFORMATION}));
}

struct Value {
  const char* name;
  CK_ATTRIBUTE_TYPE type;
  std::size_t size;
  bool is_flag;
};
constexpr auto kValues = std::to_array<Value>({
    {"CLASS", CKA_CLASS, sizeof(CK_ULONG), false},
    {"KEY_TYPE", CKA_KEY_TYPE, sizeof(CK_ULONG), false},
    {"TOKEN", CKA_TOKEN, 1, true},
    {"PRIVATE", CKA_PRIVATE, 1, true},
    {"MODIFIABLE", CKA_MODIFIABLE, 1, true},
    {"COPYABLE", CKA_COPYABLE, 1, true},
    {"DESTROYABLE", CKA_DESTROYABLE, 1, true},
    {"SENSITIVE", CKA_SENSITIVE, 1, true},
    {"EXTRACTABLE", CKA_EXTRACTABLE, 1, true},
    {"WRAP_WITH_TRUSTED", CKA_WRAP_WITH_TRUSTED, 1, true},
    {"ENCRYPT", CKA_ENCRYPT, 1, true},
    {"DECRYPT", CKA_DECRYPT, 1, true},
    {"SIGN", CKA_SIGN, 1, true},
    {"VERIFY", CKA_VERIFY, 1, true},
    {"WRAP", CKA_WRAP, 1, true},
    {"UNWRAP", CKA_UNWRAP, 1, true},
    {"DERIVE", CKA_DERIVE, 1, true},
});

// A secret key's template in which one attribute has the given bytes.
Attributes key_with(CK_ATTRIBUTE_TYPE type, core::ByteView value) {
  Attributes out;
  if (type != CKA_CLASS) out.number(CKA_CLASS, CKO_SECRET_KEY);
  if (type != CKA_KEY_TYPE) out.number(CKA_KEY_TYPE, CKK_AES);
  return out.bytes(CKA_VALUE, core::Bytes(32, 1)).bytes(type, value);
}

class AttributeValues : public ::testing::TestWithParam<Value> {
 protected:
  TestToken token_;
};
INSTANTIATE_TEST_SUITE_P(SecretKey, AttributeValues, ::testing::ValuesIn(kValues),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(AttributeValues, A63_HaveTheirLengthAndNoOther) {
  auto& session = token_.session();
  const auto& tested = GetParam();
  for (std::size_t size = 0; size <= 16; ++size) {
    if (size == tested.size) continue;
    core::Bytes value(size, 0);
    EXPECT_THAT(session.create(key_with(tested.type, value)).rv,
                ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID))
        << size;
    if (tested.is_flag) {
      const auto key = must(session.create(secret_key(CKK_AES, core::Bytes(32, 1))));
      EXPECT_NE(session.set(key, Attributes().bytes(tested.type, value)), CKR_OK) << size;
      EXPECT_NE(session.copy(key, Attributes().bytes(tested.type, value)).rv, CKR_OK) << size;
      must(session.destroy(key));
    }
  }
}

std::vector<Value> booleans() {
  std::vector<Value> out;
  std::ranges::copy_if(kValues, std::back_inserter(out), &Value::is_flag);
  return out;
}
class BooleanAttributes : public AttributeValues {};
INSTANTIATE_TEST_SUITE_P(SecretKey, BooleanAttributes, ::testing::ValuesIn(booleans()),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(BooleanAttributes, A63_AreTrueOrFalse) {
  auto& session = token_.session();
  for (unsigned value = 2; value <= 255; ++value) {
    const core::Bytes odd = {static_cast<std::uint8_t>(value)};
    ASSERT_THAT(session.create(key_with(GetParam().type, odd)).rv,
                ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID))
        << value;
  }
  const auto key = must(session.create(secret_key(CKK_AES, core::Bytes(32, 1))));
  EXPECT_NE(session.set(key, Attributes().bytes(GetParam().type, core::Bytes{2})), CKR_OK);
}

TEST_P(AttributeValues, A62_GivenTwiceAreRefusedEqualOrNot) {
  auto& session = token_.session();
  const auto& tested = GetParam();
  core::Bytes first(tested.size, 0);
  if (tested.type == CKA_CLASS) first[0] = CKO_SECRET_KEY;
  if (tested.type == CKA_KEY_TYPE) first[0] = CKK_AES;
  auto second = first;
  second[0] ^= 1U;
  for (const auto& again : {first, second}) {
    EXPECT_THAT(session.create(key_with(tested.type, first).bytes(tested.type, again)).rv,
                ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
    EXPECT_THAT(session
                    .generate(CKM_AES_KEY_GEN, Attributes()
                                                   .number(CKA_VALUE_LEN, 32)
                                                   .bytes(tested.type, first)
                                                   .bytes(tested.type, again))
                    .rv,
                ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  }
  const auto key = must(session.create(secret_key(CKK_AES, core::Bytes(32, 1))));
  const auto twice = Attributes().bytes(tested.type, first).bytes(tested.type, second);
  EXPECT_THAT(session.set(key, twice), ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  EXPECT_THAT(session.copy(key, twice).rv, ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
}

TEST(AttributeValuesOfKeys, A62_AValueGivenTwiceIsRefused) {
  TestToken token;
  EXPECT_THAT(
      token.session()
          .create(secret_key(CKK_AES, core::Bytes(32, 1)).bytes(CKA_VALUE, core::Bytes(32, 2)))
          .rv,
      ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
}

TEST(AttributeValuesOfKeys, AttributesOfAnotherClassAreRefused) {
  TestToken token;
  EXPECT_THAT(
      token.session().create(Attributes().number(CKA_CLASS, CKO_DATA).flag(CKA_SENSITIVE, true)).rv,
      ::testing::AnyOf(ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID),
                       ReturnsRv(CKR_TEMPLATE_INCONSISTENT)));
  EXPECT_THAT(token.session()
                  .create(secret_key(CKK_AES, core::Bytes(32, 1))
                              .bytes(CKA_EC_PARAMS, ec_params(core::Curve::kP256)))
                  .rv,
              ::testing::AnyOf(ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID),
                               ReturnsRv(CKR_TEMPLATE_INCONSISTENT)));
}

TEST(AttributeValuesOfKeys, TemplatesThatContradictTheMechanismAreRefused) {
  TestToken token;
  auto& session = token.session();
  const auto inconsistent = ReturnsRv(CKR_TEMPLATE_INCONSISTENT);
  EXPECT_THAT(
      session
          .generate(CKM_AES_KEY_GEN,
                    Attributes().number(CKA_VALUE_LEN, 32).number(CKA_CLASS, CKO_PUBLIC_KEY))
          .rv,
      inconsistent);
  EXPECT_THAT(
      session
          .generate(CKM_AES_KEY_GEN,
                    Attributes().number(CKA_VALUE_LEN, 32).number(CKA_KEY_TYPE, CKK_GENERIC_SECRET))
          .rv,
      inconsistent);
  for (const CK_ULONG length : {0UL, 1UL, 15UL, 17UL, 33UL, 64UL, ~0UL}) {
    EXPECT_NE(session.generate(CKM_AES_KEY_GEN, aes_template(length)).rv, CKR_OK) << length;
  }
  for (const CK_ULONG length : {16UL, 24UL, 32UL}) {
    EXPECT_EQ(session.number(generate_aes(session, {}, length), CKA_VALUE_LEN), length);
  }
}

}  // namespace
}  // namespace tallystick::test
