// The module under test, loaded with dlopen, and calls and templates in the form that it takes.
#pragma once

#include <deque>
#include <filesystem>

#include "tests/model/call.h"

namespace tallystick::model {

class Module {
 public:
  // Throws std::runtime_error where there is none.
  explicit Module(const std::string& path);
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();
  CK_FUNCTION_LIST* operator->() const { return functions_; }

 private:
  void* library_ = nullptr;
  CK_FUNCTION_LIST* functions_ = nullptr;
};

// Owns what a CK_ATTRIBUTE array points to.
class PackedTemplate {
 public:
  explicit PackedTemplate(const Template& attributes);
  CK_ATTRIBUTE* data() { return packed_.empty() ? &none_ : packed_.data(); }
  [[nodiscard]] CK_ULONG size() const { return packed_.size(); }

 private:
  CK_ATTRIBUTE pack(const Attribute& one);
  std::deque<Bytes> values_;
  std::deque<std::vector<CK_ATTRIBUTE>> inner_;
  std::vector<CK_ATTRIBUTE> packed_;
  CK_ATTRIBUTE none_{};
};

// The mechanism of a call with the one parameter that the driver uses with it.
class PackedMechanism {
 public:
  explicit PackedMechanism(const Call& call);
  CK_MECHANISM* get() { return &mechanism_; }

 private:
  CK_MECHANISM mechanism_{};
  Bytes bytes_;
  Bytes point_;
  CK_GCM_PARAMS gcm_{};
  CK_RSA_PKCS_OAEP_PARAMS oaep_{};
  CK_ECDH1_DERIVE_PARAMS ecdh_{};
  CK_HKDF_PARAMS hkdf_{};
};

// A point of P-256, uncompressed: its base point.
const Bytes& peer_point();
// The object identifier of P-256.
const Bytes& p256();
Bytes octet_string(const Bytes& content);

}  // namespace tallystick::model
