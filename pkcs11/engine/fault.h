// Fault: what the engine answers when something cannot be done. One CK_RV for the caller and one
// message for the log. Messages never hold secrets, PINs, tags or key material.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "pkcs11/engine/cryptoki.h"

namespace tallystick::token {

struct Fault {
  CK_RV rv = CKR_GENERAL_ERROR;
  std::string message;
};

template <typename T>
using Outcome = core::Result<T, Fault>;

inline Fault fault(CK_RV rv, std::string_view message) { return {rv, std::string(message)}; }

// Named after what is wrong, for the answers that many places give.
inline Fault bad_arguments(std::string_view what) { return fault(CKR_ARGUMENTS_BAD, what); }
inline Fault bad_parameter(std::string_view what) {
  return fault(CKR_MECHANISM_PARAM_INVALID, what);
}
inline Fault bad_template(std::string_view what) { return fault(CKR_TEMPLATE_INCONSISTENT, what); }
inline Fault incomplete_template(std::string_view what) {
  return fault(CKR_TEMPLATE_INCOMPLETE, what);
}
inline Fault bad_value(std::string_view what) { return fault(CKR_ATTRIBUTE_VALUE_INVALID, what); }
inline Fault bad_mechanism(std::string_view what) { return fault(CKR_MECHANISM_INVALID, what); }
inline Fault not_permitted(std::string_view what) {
  return fault(CKR_KEY_FUNCTION_NOT_PERMITTED, what);
}
inline Fault wrong_key_type(std::string_view what) {
  return fault(CKR_KEY_TYPE_INCONSISTENT, what);
}
inline Fault not_supported(std::string_view what) {
  return fault(CKR_FUNCTION_NOT_SUPPORTED, what);
}
inline Fault not_initialized() {
  return fault(CKR_OPERATION_NOT_INITIALIZED, "no operation of this kind is active");
}
inline Fault not_logged_in() { return fault(CKR_USER_NOT_LOGGED_IN, "the user is not logged in"); }
inline Fault storage_failed(std::string_view what) { return fault(CKR_DEVICE_ERROR, what); }

// libcrypto failed where it should not: CKR_FUNCTION_FAILED with its reason, and its errors are
// forgotten.
Fault crypto_failed(std::string_view what);
// Forgets the errors that libcrypto queued since the call began; the application's own stay.
void forget_errors();
// A core error under the given CK_RV; failures of libcrypto, of storage and of permission keep
// their own codes.
Fault from_core(const core::Error& error, CK_RV rv);

}  // namespace tallystick::token
