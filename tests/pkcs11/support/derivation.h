// Parameters of the mechanisms that derive keys from secret keys and from passwords.
#pragma once

#include "tests/pkcs11/support/bench.h"

namespace tallystick::test {

class Hkdf : public Mechanism {
 public:
  // Both steps, without a salt.
  explicit Hkdf(CK_MECHANISM_TYPE hash, core::Bytes info = {},
                CK_MECHANISM_TYPE type = CKM_HKDF_DERIVE);
  Hkdf(const Hkdf&) = delete;
  Hkdf& operator=(const Hkdf&) = delete;
  Hkdf& steps(bool extract, bool expand);
  Hkdf& salt(core::Bytes salt);
  Hkdf& salt_key(CK_OBJECT_HANDLE key);
  CK_HKDF_PARAMS& params() { return params_; }

 private:
  core::Bytes salt_;
  core::Bytes info_;
  CK_HKDF_PARAMS params_{};
};

// A generic secret from which keys are derived and that may not be read.
CK_OBJECT_HANDLE base_key(Session& session, core::ByteView value,
                          CK_KEY_TYPE type = CKK_GENERIC_SECRET);

}  // namespace tallystick::test
