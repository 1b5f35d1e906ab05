// AttributeSet: the attributes an object holds, beside its secret value, which lives elsewhere.
// Values are in the form a caller gets them: CK_BBOOL, CK_ULONG in host order, bytes. They are
// wiped when they go: what a private data object says is an attribute, too.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/base/secret.h"
#include "pkcs11/engine/fault.h"

namespace tallystick::token {

struct StoredAttribute {
  CK_ATTRIBUTE_TYPE type = 0;
  core::WipedBytes value;
  bool operator==(const StoredAttribute&) const = default;
};

class AttributeSet {
 public:
  [[nodiscard]] bool has(CK_ATTRIBUTE_TYPE type) const { return find(type).has_value(); }
  [[nodiscard]] std::optional<core::ByteView> find(CK_ATTRIBUTE_TYPE type) const;
  // Empty where absent.
  [[nodiscard]] core::ByteView bytes(CK_ATTRIBUTE_TYPE type) const;
  // False where absent.
  [[nodiscard]] bool flag(CK_ATTRIBUTE_TYPE type) const;
  // Nothing where absent or not of a CK_ULONG's size.
  [[nodiscard]] std::optional<CK_ULONG> number(CK_ATTRIBUTE_TYPE type) const;
  // The elements of an array of CK_ULONG, e.g. CKA_ALLOWED_MECHANISMS.
  [[nodiscard]] std::vector<CK_ULONG> numbers(CK_ATTRIBUTE_TYPE type) const;

  AttributeSet& set(CK_ATTRIBUTE_TYPE type, core::ByteView value);
  AttributeSet& set_flag(CK_ATTRIBUTE_TYPE type, bool value);
  AttributeSet& set_number(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  AttributeSet& set_numbers(CK_ATTRIBUTE_TYPE type, std::span<const CK_ULONG> values);
  AttributeSet& set_text(CK_ATTRIBUTE_TYPE type, std::string_view value);
  void remove(CK_ATTRIBUTE_TYPE type);

  // In ascending order of type.
  [[nodiscard]] std::span<const StoredAttribute> all() const { return attributes_; }
  bool operator==(const AttributeSet&) const = default;

 private:
  std::vector<StoredAttribute> attributes_;
};

// The form on disk: u16 count, then u64 type, lv(value), ascending; numbers big-endian.
core::WipedBytes encode(const AttributeSet& attributes);
// CKR_DEVICE_ERROR for anything that encode() does not write.
Outcome<AttributeSet> decode_attributes(core::ByteView encoded);

}  // namespace tallystick::token
