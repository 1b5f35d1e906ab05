#include "pkcs11/client/rv.h"

#include <algorithm>
#include <array>

#include "core/base/bytes.h"
#include "pkcs11/include/tallystick/pkcs11_v3.h"

namespace tallystick::client {
namespace {

struct Meaning {
  CK_RV rv;
  std::string_view name;
  std::string_view text;
};

// All answers of the standard, in the order of their numbers.
constexpr std::array kMeanings = {
    Meaning{CKR_CANCEL, "CKR_CANCEL", "it was cancelled"},
    Meaning{CKR_HOST_MEMORY, "CKR_HOST_MEMORY", "out of memory"},
    Meaning{CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID", "there is no such slot"},
    Meaning{CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR", "the module failed"},
    Meaning{CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED", "the function failed"},
    Meaning{CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD", "bad arguments"},
    Meaning{CKR_NO_EVENT, "CKR_NO_EVENT", "no slot has changed"},
    Meaning{CKR_NEED_TO_CREATE_THREADS, "CKR_NEED_TO_CREATE_THREADS",
            "the module needs threads of its own"},
    Meaning{CKR_CANT_LOCK, "CKR_CANT_LOCK", "the module cannot be used by several threads"},
    Meaning{CKR_ATTRIBUTE_READ_ONLY, "CKR_ATTRIBUTE_READ_ONLY", "the attribute is read-only"},
    Meaning{CKR_ATTRIBUTE_SENSITIVE, "CKR_ATTRIBUTE_SENSITIVE",
            "the value is secret and does not come out"},
    Meaning{CKR_ATTRIBUTE_TYPE_INVALID, "CKR_ATTRIBUTE_TYPE_INVALID",
            "the object has no such attribute"},
    Meaning{CKR_ATTRIBUTE_VALUE_INVALID, "CKR_ATTRIBUTE_VALUE_INVALID", "a value was not accepted"},
    Meaning{CKR_ACTION_PROHIBITED, "CKR_ACTION_PROHIBITED", "the token's policy does not allow it"},
    Meaning{CKR_DATA_INVALID, "CKR_DATA_INVALID", "the data is not acceptable"},
    Meaning{CKR_DATA_LEN_RANGE, "CKR_DATA_LEN_RANGE", "the data is too short or too long"},
    Meaning{CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR", "the token could not store it"},
    Meaning{CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY", "the token is full"},
    Meaning{CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED", "the token was removed"},
    Meaning{CKR_ENCRYPTED_DATA_INVALID, "CKR_ENCRYPTED_DATA_INVALID",
            "the sealed data does not open"},
    Meaning{CKR_ENCRYPTED_DATA_LEN_RANGE, "CKR_ENCRYPTED_DATA_LEN_RANGE",
            "the sealed data has the wrong length"},
    Meaning{CKR_AEAD_DECRYPT_FAILED, "CKR_AEAD_DECRYPT_FAILED",
            "the sealed data does not carry its tag"},
    Meaning{CKR_FUNCTION_CANCELED, "CKR_FUNCTION_CANCELED", "the function was cancelled"},
    Meaning{CKR_FUNCTION_NOT_PARALLEL, "CKR_FUNCTION_NOT_PARALLEL",
            "nothing runs beside this function"},
    Meaning{CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED",
            "the module does not offer this function"},
    Meaning{CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID", "the key is not there any more"},
    Meaning{CKR_KEY_SIZE_RANGE, "CKR_KEY_SIZE_RANGE", "the key has a length that is not offered"},
    Meaning{CKR_KEY_TYPE_INCONSISTENT, "CKR_KEY_TYPE_INCONSISTENT", "the key is of another type"},
    Meaning{CKR_KEY_NOT_NEEDED, "CKR_KEY_NOT_NEEDED", "a key was given that is not needed"},
    Meaning{CKR_KEY_CHANGED, "CKR_KEY_CHANGED", "the key has changed meanwhile"},
    Meaning{CKR_KEY_NEEDED, "CKR_KEY_NEEDED", "a key is missing"},
    Meaning{CKR_KEY_INDIGESTIBLE, "CKR_KEY_INDIGESTIBLE", "the key's value may not be hashed"},
    Meaning{CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED",
            "the key or the installed provisioning software does not permit it"},
    Meaning{CKR_KEY_NOT_WRAPPABLE, "CKR_KEY_NOT_WRAPPABLE",
            "the key cannot leave the token in this way"},
    Meaning{CKR_KEY_UNEXTRACTABLE, "CKR_KEY_UNEXTRACTABLE", "the key cannot leave the token"},
    Meaning{CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID",
            "the module does not offer this mechanism"},
    Meaning{CKR_MECHANISM_PARAM_INVALID, "CKR_MECHANISM_PARAM_INVALID",
            "the mechanism's parameter is not acceptable"},
    Meaning{CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID",
            "the object is not there any more"},
    Meaning{CKR_OPERATION_ACTIVE, "CKR_OPERATION_ACTIVE",
            "another operation of the session is not finished"},
    Meaning{CKR_OPERATION_NOT_INITIALIZED, "CKR_OPERATION_NOT_INITIALIZED",
            "the operation was not begun, or the login has ended meanwhile"},
    Meaning{CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT", "the PIN is wrong"},
    Meaning{CKR_PIN_INVALID, "CKR_PIN_INVALID", "the PIN has bytes it may not have"},
    Meaning{CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE", "the PIN is too short or too long"},
    Meaning{CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED", "the PIN has expired"},
    Meaning{CKR_PIN_LOCKED, "CKR_PIN_LOCKED", "the PIN is locked after too many wrong tries"},
    Meaning{CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED", "the session was closed meanwhile"},
    Meaning{CKR_SESSION_COUNT, "CKR_SESSION_COUNT", "the module has no more sessions to give"},
    Meaning{CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID",
            "the session is not there any more"},
    Meaning{CKR_SESSION_PARALLEL_NOT_SUPPORTED, "CKR_SESSION_PARALLEL_NOT_SUPPORTED",
            "the module offers no parallel sessions"},
    Meaning{CKR_SESSION_READ_ONLY, "CKR_SESSION_READ_ONLY", "the session only reads"},
    Meaning{CKR_SESSION_EXISTS, "CKR_SESSION_EXISTS", "sessions are open on the token"},
    Meaning{CKR_SESSION_READ_ONLY_EXISTS, "CKR_SESSION_READ_ONLY_EXISTS",
            "a read-only session is open, beside which the security officer does not log in"},
    Meaning{CKR_SESSION_READ_WRITE_SO_EXISTS, "CKR_SESSION_READ_WRITE_SO_EXISTS",
            "the security officer is logged in"},
    Meaning{CKR_SIGNATURE_INVALID, "CKR_SIGNATURE_INVALID", "the signature or MAC does not verify"},
    Meaning{CKR_SIGNATURE_LEN_RANGE, "CKR_SIGNATURE_LEN_RANGE",
            "the signature or MAC has the wrong length"},
    Meaning{CKR_TEMPLATE_INCOMPLETE, "CKR_TEMPLATE_INCOMPLETE", "the template lacks an attribute"},
    Meaning{CKR_TEMPLATE_INCONSISTENT, "CKR_TEMPLATE_INCONSISTENT",
            "the attributes contradict each other"},
    Meaning{CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT", "no token is present"},
    Meaning{CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED", "the token is not recognised"},
    Meaning{CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED", "the token is write-protected"},
    Meaning{CKR_UNWRAPPING_KEY_HANDLE_INVALID, "CKR_UNWRAPPING_KEY_HANDLE_INVALID",
            "the unwrapping key is not there any more"},
    Meaning{CKR_UNWRAPPING_KEY_SIZE_RANGE, "CKR_UNWRAPPING_KEY_SIZE_RANGE",
            "the unwrapping key has a length that is not offered"},
    Meaning{CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, "CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT",
            "the unwrapping key is of another type"},
    Meaning{CKR_USER_ALREADY_LOGGED_IN, "CKR_USER_ALREADY_LOGGED_IN", "already logged in"},
    Meaning{CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN", "not logged in"},
    Meaning{CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED",
            "the token has no user PIN yet"},
    Meaning{CKR_USER_TYPE_INVALID, "CKR_USER_TYPE_INVALID", "the token has no such user"},
    Meaning{CKR_USER_ANOTHER_ALREADY_LOGGED_IN, "CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
            "somebody else is logged in"},
    Meaning{CKR_USER_TOO_MANY_TYPES, "CKR_USER_TOO_MANY_TYPES",
            "too many kinds of users are logged in"},
    Meaning{CKR_WRAPPED_KEY_INVALID, "CKR_WRAPPED_KEY_INVALID", "the blob was refused"},
    Meaning{CKR_WRAPPED_KEY_LEN_RANGE, "CKR_WRAPPED_KEY_LEN_RANGE",
            "the blob has the wrong length"},
    Meaning{CKR_WRAPPING_KEY_HANDLE_INVALID, "CKR_WRAPPING_KEY_HANDLE_INVALID",
            "the recipient's key is not certified for it"},
    Meaning{CKR_WRAPPING_KEY_SIZE_RANGE, "CKR_WRAPPING_KEY_SIZE_RANGE",
            "the wrapping key has a length that is not offered"},
    Meaning{CKR_WRAPPING_KEY_TYPE_INCONSISTENT, "CKR_WRAPPING_KEY_TYPE_INCONSISTENT",
            "the wrapping key is of another type"},
    Meaning{CKR_RANDOM_SEED_NOT_SUPPORTED, "CKR_RANDOM_SEED_NOT_SUPPORTED",
            "the module's generator takes no seed"},
    Meaning{CKR_RANDOM_NO_RNG, "CKR_RANDOM_NO_RNG", "the module has no random generator"},
    Meaning{CKR_DOMAIN_PARAMS_INVALID, "CKR_DOMAIN_PARAMS_INVALID",
            "the key's parameters name no curve"},
    Meaning{CKR_CURVE_NOT_SUPPORTED, "CKR_CURVE_NOT_SUPPORTED",
            "the module does not offer this curve"},
    Meaning{CKR_PARAMETER_SET_NOT_SUPPORTED, "CKR_PARAMETER_SET_NOT_SUPPORTED",
            "the module does not offer this parameter set"},
    Meaning{CKR_BUFFER_TOO_SMALL, "CKR_BUFFER_TOO_SMALL",
            "the module's answer is longer than it said"},
    Meaning{CKR_SAVED_STATE_INVALID, "CKR_SAVED_STATE_INVALID",
            "the saved state is not acceptable"},
    Meaning{CKR_INFORMATION_SENSITIVE, "CKR_INFORMATION_SENSITIVE",
            "the information is secret and does not come out"},
    Meaning{CKR_STATE_UNSAVEABLE, "CKR_STATE_UNSAVEABLE", "the state cannot be saved"},
    Meaning{CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED",
            "the module is not initialised"},
    Meaning{CKR_CRYPTOKI_ALREADY_INITIALIZED, "CKR_CRYPTOKI_ALREADY_INITIALIZED",
            "the module is initialised already"},
    Meaning{CKR_MUTEX_BAD, "CKR_MUTEX_BAD", "the module was given a bad lock"},
    Meaning{CKR_MUTEX_NOT_LOCKED, "CKR_MUTEX_NOT_LOCKED", "a lock of the module was not held"},
    Meaning{CKR_NEW_PIN_MODE, "CKR_NEW_PIN_MODE", "the token wants a new PIN first"},
    Meaning{CKR_NEXT_OTP, "CKR_NEXT_OTP", "the token wants the next one-time password"},
    Meaning{CKR_EXCEEDED_MAX_ITERATIONS, "CKR_EXCEEDED_MAX_ITERATIONS",
            "the module found no parameters in the number of tries it makes"},
    Meaning{CKR_FIPS_SELF_TEST_FAILED, "CKR_FIPS_SELF_TEST_FAILED",
            "the module's self-test failed"},
    Meaning{CKR_LIBRARY_LOAD_FAILED, "CKR_LIBRARY_LOAD_FAILED",
            "the module could not load a library that it needs"},
    Meaning{CKR_PIN_TOO_WEAK, "CKR_PIN_TOO_WEAK", "the PIN is too easy to guess"},
    Meaning{CKR_PUBLIC_KEY_INVALID, "CKR_PUBLIC_KEY_INVALID", "the public key is not acceptable"},
    Meaning{CKR_FUNCTION_REJECTED, "CKR_FUNCTION_REJECTED", "the token refused"},
    Meaning{CKR_TOKEN_RESOURCE_EXCEEDED, "CKR_TOKEN_RESOURCE_EXCEEDED",
            "the token has no more room for this"},
    Meaning{CKR_OPERATION_CANCEL_FAILED, "CKR_OPERATION_CANCEL_FAILED",
            "the operation could not be cancelled"},
    Meaning{CKR_KEY_EXHAUSTED, "CKR_KEY_EXHAUSTED", "the key was used as often as it may be"},
};

const Meaning* meaning_of(CK_RV rv) {
  const auto* found = std::find_if(kMeanings.begin(), kMeanings.end(),
                                   [rv](const Meaning& meaning) { return meaning.rv == rv; });
  return found == kMeanings.end() ? nullptr : found;
}

}  // namespace

std::string rv_text(CK_RV rv) {
  if (const Meaning* meaning = meaning_of(rv)) {
    return std::string(meaning->text) + " [" + std::string(meaning->name) + "]";
  }
  core::Bytes bytes;
  for (unsigned shift = 32; shift > 0; shift -= 8) {
    bytes.push_back(static_cast<std::uint8_t>((rv >> (shift - 8U)) & 0xFFU));
  }
  return "the module answered 0x" + core::to_hex(bytes);
}

}  // namespace tallystick::client
