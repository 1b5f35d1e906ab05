// Templates and mechanisms as C_* takes them, with the memory they point to.
#pragma once

#include <vector>

#include <p11-kit/pkcs11.h>

#include "core/base/secret.h"

namespace tallystick::client {

class Template {
 public:
  Template& flag(CK_ATTRIBUTE_TYPE type, bool value);
  Template& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  // Every value lives in wiped memory, so that nobody has to ask which of them is secret.
  Template& bytes(CK_ATTRIBUTE_TYPE type, core::ByteView value);
  Template& text(CK_ATTRIBUTE_TYPE type, std::string_view value) {
    return bytes(type, core::bytes_of(value));
  }

  [[nodiscard]] CK_ATTRIBUTE* data() { return attributes_.data(); }
  [[nodiscard]] CK_ULONG size() const { return static_cast<CK_ULONG>(attributes_.size()); }

 private:
  std::vector<CK_ATTRIBUTE> attributes_;
  std::vector<core::Secret> values_;
};

class Mechanism {
 public:
  explicit Mechanism(CK_MECHANISM_TYPE type) : type_(type) {}
  Mechanism(CK_MECHANISM_TYPE type, core::ByteView parameter)
      : type_(type), parameter_(core::Secret::copy_of(parameter)) {}

  // Valid as long as this object is.
  [[nodiscard]] CK_MECHANISM get();

 private:
  CK_MECHANISM_TYPE type_;
  core::Secret parameter_;
};

}  // namespace tallystick::client
