// A slot with a token in it, as C_GetTokenInfo tells of it.
#pragma once

#include <string>

#include <p11-kit/pkcs11.h>

#include "core/base/bytes.h"

namespace tallystick::client {

// A text field of a token's information, without its padding.
inline std::string field_text(const unsigned char* field, std::size_t size) {
  while (size > 0 && (field[size - 1] == ' ' || field[size - 1] == 0)) --size;
  return std::string(core::text_of({field, size}));
}

struct Slot {
  CK_SLOT_ID id = 0;
  CK_TOKEN_INFO token{};
  // What C_GetTokenInfo said; `token` counts for nothing unless it is CKR_OK.
  CK_RV answer = CKR_OK;
  [[nodiscard]] bool initialised() const { return (token.flags & CKF_TOKEN_INITIALIZED) != 0; }
  [[nodiscard]] bool user_pin_set() const { return (token.flags & CKF_USER_PIN_INITIALIZED) != 0; }
  [[nodiscard]] std::string label() const { return field_text(token.label, sizeof token.label); }
  [[nodiscard]] std::string serial() const {
    return field_text(token.serialNumber, sizeof token.serialNumber);
  }
};

}  // namespace tallystick::client
