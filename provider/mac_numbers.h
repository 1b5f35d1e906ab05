// MACs and pseudo-random functions under libcrypto's and under PKCS#11's numbers.
#pragma once

#include <p11-kit/pkcs11.h>

namespace tallystick::provider {

struct HmacNumbers {
  int digest;
  CK_MECHANISM_TYPE mechanism;
  // The key type that fits this digest only.
  CK_KEY_TYPE key_type;
  // The pseudo-random function of PBKDF2; 0 where PKCS#11 has no number for it.
  CK_ULONG pbkdf2;
};

// Null where PKCS#11 has none.
const HmacNumbers* hmac_numbers(int digest);
// The one digest that a key of this type is for; null where the type leaves it open.
const HmacNumbers* hmac_of_key_type(CK_KEY_TYPE type);

}  // namespace tallystick::provider
