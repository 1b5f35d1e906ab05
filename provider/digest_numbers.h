// Digests under libcrypto's and under PKCS#11's numbers.
#pragma once

#include <p11-kit/pkcs11.h>

namespace tallystick::provider {

struct DigestNumbers {
  int nid;
  CK_MECHANISM_TYPE mechanism;
  CK_ULONG mgf1;
};

// Null where PKCS#11 has no number for it.
const DigestNumbers* digest_numbers(int nid);

}  // namespace tallystick::provider
