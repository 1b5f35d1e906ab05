// Sealed rows whose seal is right and whose content is not: whoever had the key would still put
// nothing else in a row than what the module writes.
#include <gtest/gtest.h>

#include "core/base/reader.h"
#include "pkcs11/engine/policy.h"
#include "pkcs11/engine/row.h"
#include "tests/support/world.h"

namespace tallystick::test {
namespace {

using token::ObjectRow;
using token::Tier;

constexpr token::TokenId kOwner = {1, 2, 3};

// A row of a public data object, part by part.
struct Content {
  std::uint8_t version = 1;
  std::uint8_t flags = 0;
  core::Bytes attributes;
  std::uint8_t has_value = 1;
  core::Bytes value = {1, 2, 3};
  core::Bytes behind;
};

class StoredRows : public ::testing::Test {
 protected:
  StoredRows() : sealer_(shared_crypto(), kOwner) {
    row_.object_class = CKO_DATA;
    row_.generation = 1;
    content_.attributes = encoded(attributes_of(CKO_DATA));
    EXPECT_TRUE(sealer_.key(Tier::kPublic, core::Secret::copy_of(key_)));
  }
  static token::AttributeSet attributes_of(CK_OBJECT_CLASS object_class) {
    token::AttributeSet out;
    out.set_number(CKA_CLASS, object_class).set_text(CKA_LABEL, "label");
    return out;
  }
  static core::Bytes encoded(const token::AttributeSet& attributes) {
    const auto bytes = token::encode(attributes);
    return {bytes.begin(), bytes.end()};
  }
  // What the row says, sealed as a row.
  CK_RV opened() {
    core::Writer body;
    body.u8(content_.version).u8(content_.flags).lv(content_.attributes);
    body.u8(content_.has_value).lv(content_.value).bytes(content_.behind);
    core::Writer names;
    names.text("TSRW").u16(1).bytes(kOwner).bytes(row_.id).u64(row_.object_class);
    names.u8(static_cast<std::uint8_t>(row_.tier)).u64(row_.generation).u64(row_.policy);
    names.lv(row_.group).u64(row_.epoch).lv(row_.job);
    auto sealed = token::seal_bytes(*shared_crypto(), key_, names.view(), body.view());
    if (!sealed) return CKR_GENERAL_ERROR;
    row_.sealed = *std::move(sealed);
    const auto object = sealer_.open(row_);
    return object ? CKR_OK : object.error().rv;
  }

  const core::Bytes key_ = core::Bytes(32, 7);
  token::RowSealer sealer_;
  ObjectRow row_;
  Content content_;
};

TEST_F(StoredRows, OpenAsTheyAreWritten) { EXPECT_EQ(opened(), CKR_OK); }

TEST_F(StoredRows, A70_OfAnotherVersionAreRefused) {
  content_.version = 2;
  EXPECT_EQ(opened(), CKR_DEVICE_ERROR);
}

TEST_F(StoredRows, A70_WithUnknownFlagsAreRefused) {
  content_.flags = 2;
  EXPECT_EQ(opened(), CKR_DEVICE_ERROR);
}

TEST_F(StoredRows, A70_HaveAValueOrNone) {
  content_.has_value = 0;
  EXPECT_EQ(opened(), CKR_OK);
  content_.has_value = 2;
  EXPECT_EQ(opened(), CKR_DEVICE_ERROR);
}

TEST_F(StoredRows, A70_HaveNothingBehindTheValue) {
  content_.behind = {0};
  EXPECT_EQ(opened(), CKR_DEVICE_ERROR);
}

TEST_F(StoredRows, A70_WhoseAttributesDoNotDecodeAreRefused) {
  content_.attributes.pop_back();
  EXPECT_EQ(opened(), CKR_DEVICE_ERROR);
}

// The columns are what a search looks at before it opens a row.
TEST_F(StoredRows, A70_WhoseColumnsSayOtherThanTheirAttributesAreRefused) {
  row_.object_class = CKO_CERTIFICATE;
  EXPECT_EQ(opened(), CKR_DEVICE_ERROR);
  row_.object_class = CKO_DATA;
  row_.policy = 1;
  EXPECT_EQ(opened(), CKR_DEVICE_ERROR);
  row_.policy = 0;
  content_.attributes = encoded(attributes_of(CKO_DATA).set_flag(CKA_PRIVATE, true));
  row_.policy = token::policy_bits(attributes_of(CKO_DATA).set_flag(CKA_PRIVATE, true));
  EXPECT_EQ(opened(), CKR_DEVICE_ERROR);
}

TEST_F(StoredRows, AreNeitherSealedNorOpenedWithoutTheirKey) {
  ASSERT_EQ(opened(), CKR_OK);
  const auto object = sealer_.open(row_);
  const token::RowSealer empty(shared_crypto(), kOwner);
  const auto nothing = empty.open(row_);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().rv, CKR_USER_NOT_LOGGED_IN);
  const auto row = empty.seal(**object);
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().rv, CKR_USER_NOT_LOGGED_IN);
}

TEST_F(StoredRows, A70_ThatAreCutShortAreRefused) {
  ASSERT_EQ(opened(), CKR_OK);
  const auto whole = row_.sealed;
  for (const std::size_t size : {std::size_t{0}, std::size_t{27}, whole.size() - 1}) {
    row_.sealed.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto object = sealer_.open(row_);
    ASSERT_FALSE(object) << size;
    EXPECT_EQ(object.error().rv, CKR_DEVICE_ERROR) << size;
  }
}

}  // namespace
}  // namespace tallystick::test
