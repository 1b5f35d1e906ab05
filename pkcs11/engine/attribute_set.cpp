#include "pkcs11/engine/attribute_set.h"

#include <algorithm>
#include <cstring>

#include "core/base/reader.h"
#include "pkcs11/engine/attribute_table.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kMaxStored = 256;

auto position(auto& attributes, CK_ATTRIBUTE_TYPE type) {
  return std::ranges::lower_bound(attributes, type, {}, &StoredAttribute::type);
}

core::ByteView memory_of(std::span<const CK_ULONG> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

std::vector<CK_ULONG> numbers_in(core::ByteView value) {
  std::vector<CK_ULONG> out(value.size() / sizeof(CK_ULONG));
  if (!out.empty()) std::memcpy(out.data(), value.data(), out.size() * sizeof(CK_ULONG));
  return out;
}

bool holds_numbers(CK_ATTRIBUTE_TYPE type) {
  const auto* const rule = find_rule(type);
  return rule != nullptr && (rule->kind == Kind::kNumber || rule->kind == Kind::kNumbers);
}

Fault damaged() { return fault(CKR_DEVICE_ERROR, "stored attributes are damaged"); }

}  // namespace

std::optional<core::ByteView> AttributeSet::find(CK_ATTRIBUTE_TYPE type) const {
  const auto at = position(attributes_, type);
  if (at == attributes_.end() || at->type != type) return std::nullopt;
  return core::ByteView(at->value);
}

core::ByteView AttributeSet::bytes(CK_ATTRIBUTE_TYPE type) const {
  return find(type).value_or(core::ByteView{});
}

bool AttributeSet::flag(CK_ATTRIBUTE_TYPE type) const {
  const auto value = bytes(type);
  return value.size() == sizeof(CK_BBOOL) && value[0] != CK_FALSE;
}

std::optional<CK_ULONG> AttributeSet::number(CK_ATTRIBUTE_TYPE type) const {
  const auto value = bytes(type);
  if (value.size() != sizeof(CK_ULONG)) return std::nullopt;
  return numbers_in(value).front();
}

std::vector<CK_ULONG> AttributeSet::numbers(CK_ATTRIBUTE_TYPE type) const {
  return numbers_in(bytes(type));
}

AttributeSet& AttributeSet::set(CK_ATTRIBUTE_TYPE type, core::ByteView value) {
  auto at = position(attributes_, type);
  if (at == attributes_.end() || at->type != type) at = attributes_.insert(at, {type, {}});
  at->value.assign(value.begin(), value.end());
  return *this;
}

AttributeSet& AttributeSet::set_flag(CK_ATTRIBUTE_TYPE type, bool value) {
  const CK_BBOOL byte = value ? CK_TRUE : CK_FALSE;
  return set(type, {&byte, 1});
}

AttributeSet& AttributeSet::set_number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  return set(type, memory_of({&value, 1}));
}

AttributeSet& AttributeSet::set_numbers(CK_ATTRIBUTE_TYPE type, std::span<const CK_ULONG> values) {
  return set(type, memory_of(values));
}

AttributeSet& AttributeSet::set_text(CK_ATTRIBUTE_TYPE type, std::string_view value) {
  return set(type, core::bytes_of(value));
}

void AttributeSet::remove(CK_ATTRIBUTE_TYPE type) {
  const auto at = position(attributes_, type);
  if (at != attributes_.end() && at->type == type) attributes_.erase(at);
}

core::WipedBytes encode(const AttributeSet& attributes) {
  core::WipedWriter out;
  out.u16(static_cast<std::uint16_t>(attributes.all().size()));
  for (const auto& attribute : attributes.all()) {
    out.u64(attribute.type);
    if (!holds_numbers(attribute.type)) {
      out.lv(attribute.value);
      continue;
    }
    core::Writer numbers;
    for (const auto number : numbers_in(attribute.value)) numbers.u64(number);
    out.lv(numbers.view());
  }
  return out.take();
}

Outcome<AttributeSet> decode_attributes(core::ByteView encoded) {
  core::Reader reader(encoded);
  const auto count = reader.u16();
  if (count > kMaxStored) return damaged();
  AttributeSet out;
  for (std::size_t i = 0; i < count; ++i) {
    const CK_ATTRIBUTE_TYPE type = reader.u64();
    const auto value = reader.lv();
    if (!reader.ok() || (!out.all().empty() && type <= out.all().back().type)) return damaged();
    if (!holds_numbers(type)) {
      out.set(type, value);
      continue;
    }
    if (value.size() % 8 != 0) return damaged();
    std::vector<CK_ULONG> numbers;
    for (core::Reader each(value); !each.rest().empty();) numbers.push_back(each.u64());
    out.set_numbers(type, numbers);
  }
  if (!reader.done()) return damaged();
  return out;
}

}  // namespace tallystick::token
