#include "pkcs11/engine/fault.h"

namespace tallystick::token {

Fault crypto_failed(std::string_view what) {
  return {CKR_FUNCTION_FAILED, core::crypto_error(what).message};
}

void forget_errors() { core::forget_crypto_errors(); }

Fault from_core(const core::Error& error, CK_RV rv) {
  switch (error.code) {
    case core::ErrorCode::kCrypto:
      return {CKR_FUNCTION_FAILED, error.message};
    case core::ErrorCode::kStorage:
      return {CKR_DEVICE_ERROR, error.message};
    case core::ErrorCode::kNotPermitted:
    case core::ErrorCode::kSoftwareTooOld:
    case core::ErrorCode::kCountedFamily:
      return {CKR_KEY_FUNCTION_NOT_PERMITTED, error.message};
    default:
      return {rv, error.message};
  }
}

}  // namespace tallystick::token
