#include "tests/pkcs11/support/attributes.h"

namespace tallystick::test {
namespace {

template <typename T>
core::ByteView raw(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

}  // namespace

Attributes& Attributes::operator=(const Attributes& other) {
  if (this == &other) return *this;
  values_.clear();
  attributes_.clear();
  return append(other);
}

Attributes& Attributes::flag(CK_ATTRIBUTE_TYPE type, bool value) {
  return bytes(type, raw<CK_BBOOL>(value ? CK_TRUE : CK_FALSE));
}

Attributes& Attributes::number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  return bytes(type, raw(value));
}

Attributes& Attributes::numbers(CK_ATTRIBUTE_TYPE type, const std::vector<CK_ULONG>& values) {
  return bytes(type, {reinterpret_cast<const std::uint8_t*>(values.data()),
                      values.size() * sizeof(CK_ULONG)});
}

Attributes& Attributes::bytes(CK_ATTRIBUTE_TYPE type, core::ByteView value) {
  auto& kept = values_.emplace_back(value.begin(), value.end());
  attributes_.push_back({type, kept.empty() ? nullptr : kept.data(), kept.size()});
  return *this;
}

Attributes& Attributes::text(CK_ATTRIBUTE_TYPE type, std::string_view value) {
  return bytes(type, core::bytes_of(value));
}

Attributes& Attributes::append(const Attributes& other) {
  for (const auto& attribute : other.attributes_) {
    bytes(attribute.type,
          {static_cast<const std::uint8_t*>(attribute.pValue), attribute.ulValueLen});
  }
  return *this;
}

Gcm::Gcm(core::Bytes iv, core::Bytes aad, CK_ULONG tag_bits)
    : Mechanism(CKM_AES_GCM), iv_(std::move(iv)), aad_(std::move(aad)) {
  // By place: headers differ in the names of the members.
  params_ = {iv_.data(),  iv_.size(), iv_.size() * 8, aad_.empty() ? nullptr : aad_.data(),
             aad_.size(), tag_bits};
  point(&params_, sizeof params_);
}

GcmMessage::GcmMessage(CK_GENERATOR_FUNCTION generator, core::Bytes iv, CK_ULONG fixed_bits)
    : iv_(std::move(iv)) {
  params_ = {iv_.data(), iv_.size(), fixed_bits, generator, tag_.data(), 8 * tag_.size()};
}

}  // namespace tallystick::test
