#include "pkcs11/engine/attribute_reading.h"

#include <cstring>

#include "pkcs11/engine/attribute_table.h"

namespace tallystick::token {
namespace {

Fault too_small() { return fault(CKR_BUFFER_TOO_SMALL, "an attribute's buffer is too small"); }

Outcome<void> fill_value(core::ByteView value, CK_ATTRIBUTE& attribute) {
  if (attribute.pValue != nullptr && attribute.ulValueLen < value.size()) {
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return too_small();
  }
  if (attribute.pValue != nullptr && !value.empty()) {
    std::memcpy(attribute.pValue, value.data(), value.size());
  }
  attribute.ulValueLen = value.size();
  return {};
}

Outcome<void> fill_template(core::ByteView encoded, CK_ATTRIBUTE& attribute) {
  auto set = decode_attributes(encoded);
  if (!set) {
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return std::move(set).error();
  }
  const auto size = set->all().size() * sizeof(CK_ATTRIBUTE);
  if (attribute.pValue != nullptr && attribute.ulValueLen < size) {
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return too_small();
  }
  attribute.ulValueLen = size;
  if (attribute.pValue == nullptr) return {};
  Outcome<void> result;
  auto* at = static_cast<std::uint8_t*>(attribute.pValue);
  for (const auto& [type, value] : set->all()) {
    // The caller's array need not be aligned.
    CK_ATTRIBUTE inner{};
    std::memcpy(&inner, at, sizeof inner);
    inner.type = type;
    if (auto filled = fill_value(value, inner); !filled) result = std::move(filled).error();
    std::memcpy(at, &inner, sizeof inner);
    at += sizeof inner;
  }
  return result;
}

}  // namespace

Outcome<void> fill_attribute(const Object& object, CK_ATTRIBUTE& attribute) {
  const auto type = attribute.type;  // read once: the caller may change its memory (A65)
  core::Bytes scratch;
  auto value = read_attribute(object, type, scratch);
  if (!value) {
    attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return std::move(value).error();
  }
  return is_template(type) ? fill_template(*value, attribute) : fill_value(*value, attribute);
}

}  // namespace tallystick::token
