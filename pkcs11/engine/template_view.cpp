#include "pkcs11/engine/template_view.h"

#include <algorithm>
#include <cstring>

#include "pkcs11/engine/attribute_table.h"

namespace tallystick::token {

namespace {

// The rule for an attribute of a key that is wrapped, unwrapped or derived, which cannot be a
// value: comparing with one would tell about it.
const AttributeRule* nested_rule(CK_ATTRIBUTE_TYPE type) {
  for (const CK_OBJECT_CLASS object_class : {CKO_SECRET_KEY, CKO_PRIVATE_KEY}) {
    const auto* const rule = find_rule(type, object_class);
    if (rule != nullptr && !rule->sensitive && rule->kind != Kind::kTemplate) return rule;
  }
  return nullptr;
}

Fault no_value(CK_ATTRIBUTE_TYPE type) {
  return bad_value(attribute_name(type) + " has a length and no value");
}
Fault too_long(CK_ATTRIBUTE_TYPE type) { return bad_value(attribute_name(type) + " is too long"); }
Fault twice(CK_ATTRIBUTE_TYPE type) {
  return bad_template(attribute_name(type) + " is given twice");
}

// An array of CK_ATTRIBUTE in the caller's memory, in the form in which it is kept.
Outcome<core::WipedBytes> read_nested(const CK_ATTRIBUTE& array) {
  const auto count = array.ulValueLen / sizeof(CK_ATTRIBUTE);
  if (array.ulValueLen % sizeof(CK_ATTRIBUTE) != 0 || count > Template::kMaxNested) {
    return bad_value(attribute_name(array.type) + " has a length it cannot have");
  }
  AttributeSet set;
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    CK_ATTRIBUTE inner{};
    std::memcpy(&inner, static_cast<const std::uint8_t*>(array.pValue) + i * sizeof inner,
                sizeof inner);
    if (inner.pValue == nullptr && inner.ulValueLen != 0) {
      return no_value(inner.type);
    }
    if (inner.ulValueLen > Template::kMaxNestedBytes - total) return too_long(inner.type);
    total += inner.ulValueLen;
    const auto* const rule = nested_rule(inner.type);
    if (rule == nullptr) {
      return bad_value(attribute_name(inner.type) + " is not for " + attribute_name(array.type));
    }
    // Copied before it is looked at, like everything else of the caller's.
    core::Bytes value(inner.ulValueLen);
    if (!value.empty()) std::memcpy(value.data(), inner.pValue, value.size());
    if (auto good = check_value(*rule, value); !good) return std::move(good).error();
    if (set.has(inner.type)) return twice(inner.type);
    set.set(inner.type, value);
  }
  return encode(set);
}

}  // namespace

Outcome<void> Template::add(CK_ATTRIBUTE_TYPE type, core::ByteView value,
                            core::MutableByteView& rest) {
  if (has(type)) return twice(type);
  const auto kept = rest.first(value.size());
  rest = rest.subspan(value.size());
  if (!value.empty()) std::memcpy(kept.data(), value.data(), value.size());
  entries_.push_back({type, kept});
  return {};
}

Outcome<Template> Template::read(const CK_ATTRIBUTE* attributes, CK_ULONG count) {
  if (count > kMaxAttributes) return bad_arguments("a template of too many attributes");
  if (count > 0 && attributes == nullptr) return bad_arguments("a template that is null");

  // The caller may change its memory meanwhile: each structure is read once, and only the copies
  // are looked at (A65).
  std::vector<CK_ATTRIBUTE> copies(count);
  std::vector<core::WipedBytes> nested;
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    copies[i] = attributes[i];
    if (copies[i].pValue == nullptr && copies[i].ulValueLen != 0) return no_value(copies[i].type);
    if (is_template(copies[i].type)) {
      auto kept = read_nested(copies[i]);
      if (!kept) return std::move(kept).error();
      nested.push_back(*std::move(kept));
      copies[i].pValue = nested.back().data();
      copies[i].ulValueLen = nested.back().size();
    }
    if (copies[i].ulValueLen > kMaxBytes - total) return too_long(copies[i].type);
    total += copies[i].ulValueLen;
  }

  Template out;
  out.storage_ = core::Secret(total);
  out.entries_.reserve(count);
  auto rest = out.storage_.span();
  for (const auto& attribute : copies) {
    const core::ByteView value(static_cast<const std::uint8_t*>(attribute.pValue),
                               attribute.ulValueLen);
    if (auto added = out.add(attribute.type, value, rest); !added) return std::move(added).error();
  }
  return out;
}

Outcome<Template> Template::with(const AttributeSet& demanded) const {
  std::vector<Entry> all(entries_);
  for (const auto& [type, value] : demanded.all()) {
    const auto given = find(type);
    if (given && !std::ranges::equal(*given, value)) {
      return bad_template(attribute_name(type) + " contradicts the key's own template");
    }
    if (!given) all.push_back({type, value});
  }
  std::size_t total = 0;
  for (const auto& entry : all) total += entry.value.size();
  Template out;
  out.storage_ = core::Secret(total);
  auto rest = out.storage_.span();
  for (const auto& entry : all) {
    if (auto added = out.add(entry.type, entry.value, rest); !added) {
      return std::move(added).error();
    }
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
    return bad_value(attribute_name(type) + " is neither true nor false");
  }
  return std::optional<bool>((*value)[0] == CK_TRUE);
}

Outcome<std::optional<CK_ULONG>> Template::number(CK_ATTRIBUTE_TYPE type) const {
  const auto value = find(type);
  if (!value) return std::optional<CK_ULONG>();
  if (value->size() != sizeof(CK_ULONG))
    return bad_value(attribute_name(type) + " is a number of the wrong size");
  CK_ULONG out = 0;
  std::memcpy(&out, value->data(), sizeof out);
  return std::optional<CK_ULONG>(out);
}

Outcome<CK_ULONG> Template::required_number(CK_ATTRIBUTE_TYPE type) const {
  auto value = number(type);
  if (!value) return std::move(value).error();
  if (!*value) return incomplete_template(attribute_name(type) + " is missing");
  return **value;
}

}  // namespace tallystick::token
