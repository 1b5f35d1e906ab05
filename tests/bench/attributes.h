// Attributes: a template that owns its values.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "pkcs11/engine/cryptoki.h"

namespace tallystick::bench {

class Attributes {
 public:
  Attributes() = default;
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  Attributes& bytes(CK_ATTRIBUTE_TYPE type, core::ByteView value) {
    auto& kept = values_.emplace_back(value.begin(), value.end());
    list_.push_back({type, kept.data(), kept.size()});
    return *this;
  }
  Attributes& text(CK_ATTRIBUTE_TYPE type, std::string_view value) {
    return bytes(type, core::bytes_of(value));
  }
  Attributes& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    return bytes(type, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  }
  Attributes& flag(CK_ATTRIBUTE_TYPE type, bool value) {
    const CK_BBOOL byte = value ? CK_TRUE : CK_FALSE;
    return bytes(type, {&byte, 1});
  }

  [[nodiscard]] CK_ATTRIBUTE* data() { return list_.data(); }
  [[nodiscard]] CK_ULONG size() const { return list_.size(); }

 private:
  std::deque<core::Bytes> values_;
  std::vector<CK_ATTRIBUTE> list_;
};

}  // namespace tallystick::bench
