#include "pkcs11/client/template.h"

namespace tallystick::client {

Template& Template::flag(CK_ATTRIBUTE_TYPE type, bool value) {
  const std::uint8_t byte = value ? CK_TRUE : CK_FALSE;
  return bytes(type, {&byte, 1});
}

Template& Template::number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  return bytes(type, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
}

Template& Template::bytes(CK_ATTRIBUTE_TYPE type, core::ByteView value) {
  values_.push_back(core::Secret::copy_of(value));
  const auto memory = values_.back().span();
  attributes_.push_back({type, memory.data(), static_cast<CK_ULONG>(memory.size())});
  return *this;
}

CK_MECHANISM Mechanism::get() {
  return {type_, parameter_.empty() ? nullptr : parameter_.span().data(),
          static_cast<CK_ULONG>(parameter_.size())};
}

}  // namespace tallystick::client
