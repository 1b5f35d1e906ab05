// Arguments: what C_* functions take besides handles, built from an input: templates, mechanisms
// with parameters of the right structure (or on purpose of another), buffers. Every pointer that
// goes out names memory of exactly the length that stands beside it, or is null.
#pragma once

#include <span>
#include <vector>

#include <p11-kit/pkcs11.h>

#include "tallystick/pkcs11_tallystick.h"
#include "tallystick/pkcs11_v3.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/memory.h"

namespace tallystick::fuzz {

// What a parameter points to and how much of it there is.
struct Region {
  CK_BYTE* data = nullptr;
  CK_ULONG size = 0;
};

struct Template {
  CK_ATTRIBUTE* attributes = nullptr;
  CK_ULONG count = 0;
};

class Arguments {
 public:
  explicit Arguments(Input& in) : in_(&in) {}

  [[nodiscard]] Input& in() { return *in_; }
  [[nodiscard]] Memory& memory() { return memory_; }

  Region region();
  // One of the seed token's keys, sometimes a handle of nothing.
  CK_OBJECT_HANDLE key();
  Template attributes(unsigned depth = 0);
  // The type and its parameter.
  CK_MECHANISM* mechanism();
  CK_MECHANISM* mechanism(CK_MECHANISM_TYPE type);
  // The parameter of one message, as C_EncryptMessage takes it.
  Region message_parameter(CK_MECHANISM_TYPE type);
  // Handles that C_DeriveKey wrote into a parameter of the counter mode.
  [[nodiscard]] const std::vector<CK_OBJECT_HANDLE*>& handles() const { return handles_; }

 private:
  enum class Shape : std::uint8_t;
  static Shape shape_of(CK_MECHANISM_TYPE type);
  Region parameter(Shape shape);
  Region misfit(Shape shape, Shape right);
  Region gcm();
  Region ccm();
  Region gcm_message();
  Region ccm_message();
  Region ctr();
  Region oaep();
  Region pss();
  Region ecdh();
  Region eddsa();
  Region hkdf();
  Region counter_kdf();
  Region pbkdf2();
  Region sign_context();
  Region hash_sign_context();
  CK_MECHANISM_TYPE hash();
  CK_ATTRIBUTE attribute(unsigned depth);

  template <typename T>
  Region block(const T& value) {
    return {reinterpret_cast<CK_BYTE*>(memory_.structure(value)), sizeof value};
  }

  Input* in_;
  Memory memory_;
  std::vector<CK_OBJECT_HANDLE*> handles_;
};

}  // namespace tallystick::fuzz
