// Template: a caller's CK_ATTRIBUTE array, copied once (A65) into locked memory, with every count,
// length and pointer checked (A60, A62). Values are checked against the attribute table when the
// policy looks at them, since what is right depends on the object.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/base/secret.h"
#include "pkcs11/engine/attribute_set.h"

namespace tallystick::token {

class Template {
 public:
  static constexpr CK_ULONG kMaxAttributes = 256;
  static constexpr std::size_t kMaxBytes = 4UL << 20;
  // Of templates that are the value of an attribute: one inside another is not taken (A23).
  static constexpr std::size_t kMaxNested = 64;
  static constexpr std::size_t kMaxNestedBytes = 64UL << 10;

  // The value of a template attribute is encode() of what the array holds.
  struct Entry {
    CK_ATTRIBUTE_TYPE type = 0;
    core::ByteView value;
  };

  Template() = default;
  // CKR_ARGUMENTS_BAD: null array, too many; CKR_ATTRIBUTE_VALUE_INVALID: null value or a length
  // beyond the cap; CKR_TEMPLATE_INCONSISTENT: an attribute twice.
  static Outcome<Template> read(const CK_ATTRIBUTE* attributes, CK_ULONG count);

  // This and what a key's own template demands; CKR_TEMPLATE_INCONSISTENT where they contradict.
  [[nodiscard]] Outcome<Template> with(const AttributeSet& demanded) const;

  [[nodiscard]] std::span<const Entry> entries() const { return entries_; }
  [[nodiscard]] bool has(CK_ATTRIBUTE_TYPE type) const { return find(type).has_value(); }
  [[nodiscard]] std::optional<core::ByteView> find(CK_ATTRIBUTE_TYPE type) const;
  // Nothing where absent; CKR_ATTRIBUTE_VALUE_INVALID for a wrong length or a boolean of 2.
  [[nodiscard]] Outcome<std::optional<bool>> flag(CK_ATTRIBUTE_TYPE type) const;
  [[nodiscard]] Outcome<std::optional<CK_ULONG>> number(CK_ATTRIBUTE_TYPE type) const;
  // As above, and CKR_TEMPLATE_INCOMPLETE where absent.
  [[nodiscard]] Outcome<CK_ULONG> required_number(CK_ATTRIBUTE_TYPE type) const;

 private:
  Outcome<void> add(CK_ATTRIBUTE_TYPE type, core::ByteView value, core::MutableByteView& rest);

  core::Secret storage_;
  std::vector<Entry> entries_;
};

}  // namespace tallystick::token
