#include "pkcs11/engine/template_view.h"

#include <algorithm>
#include <cstring>

namespace tallystick::token {

Outcome<Template> Template::read(const CK_ATTRIBUTE* attributes, CK_ULONG count) {
  if (count > kMaxAttributes) return bad_arguments("a template of too many attributes");
  if (count > 0 && attributes == nullptr) return bad_arguments("a template that is null");

  // The caller may change its memory meanwhile: each structure is read once, and only the copies
  // are looked at (A65).
  std::vector<CK_ATTRIBUTE> copies(count);
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    copies[i] = attributes[i];
    if (copies[i].pValue == nullptr && copies[i].ulValueLen != 0) {
      return bad_value("an attribute with a length and no value");
    }
    if (copies[i].ulValueLen > kMaxBytes - total) return bad_value("an attribute that is too long");
    total += copies[i].ulValueLen;
  }

  Template out;
  out.storage_ = core::Secret(total);
  out.entries_.reserve(count);
  auto rest = out.storage_.span();
  for (const auto& attribute : copies) {
    const auto value = rest.first(attribute.ulValueLen);
    rest = rest.subspan(attribute.ulValueLen);
    if (!value.empty()) std::memcpy(value.data(), attribute.pValue, value.size());
    if (out.has(attribute.type)) return bad_template("an attribute that is given twice");
    out.entries_.push_back({attribute.type, value});
  }
  return out;
}

std::optional<core::ByteView> Template::find(CK_ATTRIBUTE_TYPE type) const {
  const auto at = std::ranges::find(entries_, type, &Entry::type);
  if (at == entries_.end()) return std::nullopt;
  return at->value;
}

Outcome<std::optional<bool>> Template::flag(CK_ATTRIBUTE_TYPE type) const {
  const auto value = find(type);
  if (!value) return std::optional<bool>();
  if (value->size() != sizeof(CK_BBOOL) || (*value)[0] > CK_TRUE) {
    return bad_value("a boolean that is neither true nor false");
  }
  return std::optional<bool>((*value)[0] == CK_TRUE);
}

Outcome<std::optional<CK_ULONG>> Template::number(CK_ATTRIBUTE_TYPE type) const {
  const auto value = find(type);
  if (!value) return std::optional<CK_ULONG>();
  if (value->size() != sizeof(CK_ULONG)) return bad_value("a number of the wrong size");
  CK_ULONG out = 0;
  std::memcpy(&out, value->data(), sizeof out);
  return std::optional<CK_ULONG>(out);
}

Outcome<CK_ULONG> Template::required_number(CK_ATTRIBUTE_TYPE type) const {
  auto value = number(type);
  if (!value) return std::move(value).error();
  if (!*value) return incomplete_template("a number that is needed is missing");
  return **value;
}

}  // namespace tallystick::token
