// Ordinary keys as they are stored: what was not stored from a key is none. Their rows are sealed,
// so that no C_* function and no edit of a file reaches these checks; they stand behind that.
#include <gtest/gtest.h>

#include "core/base/reader.h"
#include "pkcs11/engine/keys/key_pair.h"
#include "tests/pkcs11/support/outcome.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/support/world.h"

namespace tallystick::test {
namespace {

using token::AttributeSet;

CK_RV parsed(const AttributeSet& attributes, core::ByteView value = {}) {
  const auto key = token::parse_key(*shared_crypto(), attributes, value);
  return key ? CKR_OK : key.error().rv;
}

AttributeSet of(CK_OBJECT_CLASS object_class, CK_KEY_TYPE key_type) {
  return AttributeSet().set_number(CKA_CLASS, object_class).set_number(CKA_KEY_TYPE, key_type);
}

TEST(StoredKeys, A70_APointIsOneOfItsCurve) {
  struct Curve {
    const char* name;
    CK_KEY_TYPE key_type;
  };
  for (const auto& [name, key_type] :
       {Curve{"P-256", CKK_EC}, Curve{"P-521", CKK_EC}, Curve{"ED25519", CKK_EC_EDWARDS},
        Curve{"X448", CKK_EC_MONTGOMERY}}) {
    SCOPED_TRACE(name);
    const auto point = octets(point_of(libcrypto_key(name).get()));
    const auto with = [&, type = key_type, curve = name](const core::Bytes& stored) {
      auto key = of(CKO_PUBLIC_KEY, type);
      key.set(CKA_EC_PARAMS, curve_params(curve)).set(CKA_EC_POINT, stored);
      return parsed(key);
    };
    EXPECT_EQ(with(point), CKR_OK);
    EXPECT_EQ(with({}), CKR_DEVICE_ERROR);
    EXPECT_EQ(with({point.begin(), point.end() - 1}), CKR_DEVICE_ERROR);
    auto longer = point;
    longer.push_back(0);
    EXPECT_EQ(with(longer), CKR_DEVICE_ERROR);
    auto other_tag = point;
    other_tag[0] ^= 1U;
    EXPECT_EQ(with(other_tag), CKR_DEVICE_ERROR);
  }
}

TEST(StoredKeys, A70_ThePrivateNumbersOfAnRsaKeyAreSixAndNothingBehindThem) {
  const auto* const rsa = some_rsa_key();
  auto key = of(CKO_PRIVATE_KEY, CKK_RSA);
  key.set(CKA_MODULUS, number_of(rsa, "n")).set(CKA_PUBLIC_EXPONENT, number_of(rsa, "e"));
  core::Writer out;
  for (const auto* const name :
       {"d", "rsa-factor1", "rsa-factor2", "rsa-exponent1", "rsa-exponent2", "rsa-coefficient1"}) {
    out.lv(number_of(rsa, name));
  }
  const auto value = out.take();
  EXPECT_EQ(parsed(key, value), CKR_OK);
  auto longer = value;
  longer.push_back(0);
  EXPECT_EQ(parsed(key, longer), CKR_DEVICE_ERROR);
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, value.size() - 1}) {
    EXPECT_EQ(parsed(key, core::ByteView(value).first(size)), CKR_DEVICE_ERROR) << size;
  }
}

// What an unwrapped key is taken for; C_UnwrapKey has one answer for all that is none.
TEST(PrivateKeys, A10_AreDraftedAsWhatTheyAreOnly) {
  struct Kind {
    const char* name;
    CK_KEY_TYPE type;
  };
  for (const auto& [name, type] :
       {Kind{"RSA-2048", CKK_RSA}, Kind{"P-256", CKK_EC}, Kind{"P-521", CKK_EC},
        Kind{"ED25519", CKK_EC_EDWARDS}, Kind{"X448", CKK_EC_MONTGOMERY}}) {
    const auto key = token::share(libcrypto_key(name));
    for (const CK_KEY_TYPE asked : {CKK_RSA, CKK_EC, CKK_EC_EDWARDS, CKK_EC_MONTGOMERY}) {
      EXPECT_EQ(rv_of(token::private_key_draft(asked, key)),
                asked == type ? CKR_OK : CKR_KEY_TYPE_INCONSISTENT)
          << name << " as " << asked;
    }
  }
}

}  // namespace
}  // namespace tallystick::test
