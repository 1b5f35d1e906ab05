// The form in which attributes are stored: what encode() does not write does not decode. Rows are
// sealed, so that no C_* function and no edit of a file reaches these checks; they stand behind
// that.
#include <gtest/gtest.h>

#include "core/base/reader.h"
#include "pkcs11/engine/attribute_set.h"

namespace tallystick::test {
namespace {

using token::AttributeSet;
using token::decode_attributes;

// A type that no table knows: its value is any bytes.
constexpr std::uint64_t kUnknown = CKA_VENDOR_DEFINED | 0x123456UL;

struct Entry {
  std::uint64_t type;
  core::Bytes value;
};
core::Bytes stored(const std::vector<Entry>& entries) {
  core::Writer out;
  out.u16(static_cast<std::uint16_t>(entries.size()));
  for (const auto& [type, value] : entries) out.u64(type).lv(value);
  return out.take();
}
CK_RV decoded(core::ByteView bytes) {
  const auto attributes = decode_attributes(bytes);
  return attributes ? CKR_OK : attributes.error().rv;
}

TEST(StoredAttributes, ComeBackAsTheyWere) {
  AttributeSet attributes;
  attributes.set_number(CKA_CLASS, CKO_SECRET_KEY).set_text(CKA_LABEL, "label").set(CKA_ID, {});
  attributes.set_numbers(CKA_ALLOWED_MECHANISMS, std::vector<CK_ULONG>{CKM_AES_GCM, CKM_AES_CBC});
  const auto encoded = token::encode(attributes);
  const auto back = decode_attributes(encoded);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, attributes);
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_EQ(decoded(core::ByteView(encoded).first(size)), CKR_DEVICE_ERROR) << size;
  }
}

TEST(StoredAttributes, A70_StandInOneOrderAndEachOnce) {
  EXPECT_EQ(decoded(stored({{kUnknown, {1}}, {kUnknown + 1, {1}}})), CKR_OK);
  EXPECT_EQ(decoded(stored({{kUnknown + 1, {1}}, {kUnknown, {1}}})), CKR_DEVICE_ERROR);
  EXPECT_EQ(decoded(stored({{kUnknown, {1}}, {kUnknown, {1}}})), CKR_DEVICE_ERROR);
}

TEST(StoredAttributes, A70_HaveNothingBehindThem) {
  auto bytes = stored({{kUnknown, {1}}});
  bytes.push_back(0);
  EXPECT_EQ(decoded(bytes), CKR_DEVICE_ERROR);
}

TEST(StoredAttributes, A70_AreNotMoreThanAnObjectHas) {
  std::vector<Entry> entries;
  for (std::uint64_t i = 0; i < 256; ++i) entries.push_back({kUnknown + i, {}});
  EXPECT_EQ(decoded(stored(entries)), CKR_OK);
  entries.push_back({kUnknown + 256, {}});
  EXPECT_EQ(decoded(stored(entries)), CKR_DEVICE_ERROR);
}

TEST(StoredAttributes, A70_NumbersAreWhole) {
  for (const std::size_t size : {0UL, 8UL, 16UL}) {
    EXPECT_EQ(decoded(stored({{CKA_ALLOWED_MECHANISMS, core::Bytes(size)}})), CKR_OK) << size;
  }
  for (const std::size_t size : {1UL, 7UL, 9UL}) {
    EXPECT_EQ(decoded(stored({{CKA_ALLOWED_MECHANISMS, core::Bytes(size)}})), CKR_DEVICE_ERROR)
        << size;
  }
}

}  // namespace
}  // namespace tallystick::test
