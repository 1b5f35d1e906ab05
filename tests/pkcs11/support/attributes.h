// Attributes: a template that owns its values. Mechanism: a mechanism that owns its parameter.
#pragma once

#include <deque>
#include <string_view>
#include <vector>

#include <p11-kit/pkcs11.h>

#include "core/base/bytes.h"
#include "tallystick/pkcs11_v3.h"

namespace tallystick::test {

class Attributes {
 public:
  Attributes() = default;
  Attributes(const Attributes& other) { append(other); }
  Attributes& operator=(const Attributes& other);
  ~Attributes() = default;

  Attributes& flag(CK_ATTRIBUTE_TYPE type, bool value);
  Attributes& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  Attributes& numbers(CK_ATTRIBUTE_TYPE type, const std::vector<CK_ULONG>& values);
  Attributes& bytes(CK_ATTRIBUTE_TYPE type, core::ByteView value);
  Attributes& text(CK_ATTRIBUTE_TYPE type, std::string_view value);
  Attributes& append(const Attributes& other);

  CK_ATTRIBUTE* data() { return attributes_.empty() ? nullptr : attributes_.data(); }
  [[nodiscard]] CK_ULONG size() const { return attributes_.size(); }

 private:
  std::deque<core::Bytes> values_;
  std::vector<CK_ATTRIBUTE> attributes_;
};

class Mechanism {
 public:
  Mechanism(CK_MECHANISM_TYPE type, core::Bytes parameter = {})
      : parameter_(std::move(parameter)), mechanism_{type, nullptr, 0} {
    point();
  }
  Mechanism(const Mechanism& other) : parameter_(other.parameter_), mechanism_(other.mechanism_) {
    point();
  }
  Mechanism& operator=(const Mechanism&) = delete;
  virtual ~Mechanism() = default;

  [[nodiscard]] CK_MECHANISM* get() { return &mechanism_; }

 protected:
  void point() {
    if (parameter_.empty()) return;
    mechanism_.pParameter = parameter_.data();
    mechanism_.ulParameterLen = parameter_.size();
  }
  void point(void* parameter, CK_ULONG size) {
    mechanism_.pParameter = parameter;
    mechanism_.ulParameterLen = size;
  }

 private:
  core::Bytes parameter_;
  CK_MECHANISM mechanism_;
};

class Gcm : public Mechanism {
 public:
  explicit Gcm(core::Bytes iv, core::Bytes aad = {}, CK_ULONG tag_bits = 128);
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;
  CK_GCM_PARAMS& params() { return params_; }

 private:
  core::Bytes iv_;
  core::Bytes aad_;
  CK_GCM_PARAMS params_{};
};

// CK_GCM_MESSAGE_PARAMS that owns what it points to.
class GcmMessage {
 public:
  explicit GcmMessage(CK_GENERATOR_FUNCTION generator = CKG_GENERATE,
                      core::Bytes iv = core::Bytes(12), CK_ULONG fixed_bits = 0);
  GcmMessage(const GcmMessage&) = delete;
  GcmMessage& operator=(const GcmMessage&) = delete;
  ~GcmMessage() = default;

  [[nodiscard]] void* get() { return &params_; }
  [[nodiscard]] static CK_ULONG size() { return sizeof(CK_GCM_MESSAGE_PARAMS); }
  [[nodiscard]] CK_GCM_MESSAGE_PARAMS& params() { return params_; }
  [[nodiscard]] core::Bytes& iv() { return iv_; }
  [[nodiscard]] core::Bytes& tag() { return tag_; }
  // As a CK_MECHANISM's parameter.
  [[nodiscard]] CK_MECHANISM mechanism() { return {CKM_AES_GCM, get(), size()}; }

 private:
  core::Bytes iv_;
  core::Bytes tag_ = core::Bytes(16);
  CK_GCM_MESSAGE_PARAMS params_{};
};

}  // namespace tallystick::test
