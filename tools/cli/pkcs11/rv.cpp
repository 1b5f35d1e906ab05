#include "tools/cli/pkcs11/rv.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/bytes.h"

namespace tallystick::cli {
namespace {

struct Meaning {
  CK_RV rv;
  Exit exit;
  std::string_view name;
  std::string_view text;
  std::string_view advice;
};

constexpr std::array kMeanings = {
    Meaning{CKR_HOST_MEMORY, Exit::kToken, "CKR_HOST_MEMORY", "out of memory", ""},
    Meaning{CKR_GENERAL_ERROR, Exit::kToken, "CKR_GENERAL_ERROR", "the module failed", ""},
    Meaning{CKR_FUNCTION_FAILED, Exit::kToken, "CKR_FUNCTION_FAILED", "the function failed", ""},
    Meaning{CKR_ARGUMENTS_BAD, Exit::kToken, "CKR_ARGUMENTS_BAD", "bad arguments", ""},
    Meaning{CKR_ACTION_PROHIBITED, Exit::kRefused, "CKR_ACTION_PROHIBITED",
            "the token's policy does not allow it", ""},
    Meaning{CKR_ATTRIBUTE_READ_ONLY, Exit::kRefused, "CKR_ATTRIBUTE_READ_ONLY",
            "the attribute is read-only", ""},
    Meaning{CKR_ATTRIBUTE_SENSITIVE, Exit::kRefused, "CKR_ATTRIBUTE_SENSITIVE",
            "the value is secret and does not come out", ""},
    Meaning{CKR_ATTRIBUTE_TYPE_INVALID, Exit::kToken, "CKR_ATTRIBUTE_TYPE_INVALID",
            "the object has no such attribute", ""},
    Meaning{CKR_ATTRIBUTE_VALUE_INVALID, Exit::kRefused, "CKR_ATTRIBUTE_VALUE_INVALID",
            "a value was not accepted", ""},
    Meaning{CKR_DATA_INVALID, Exit::kRefused, "CKR_DATA_INVALID", "the data is not acceptable", ""},
    Meaning{CKR_DATA_LEN_RANGE, Exit::kRefused, "CKR_DATA_LEN_RANGE",
            "the data is too short or too long", ""},
    Meaning{CKR_DEVICE_ERROR, Exit::kToken, "CKR_DEVICE_ERROR", "the token could not store it",
            "is its disk full or read-only?"},
    Meaning{CKR_DEVICE_MEMORY, Exit::kToken, "CKR_DEVICE_MEMORY", "the token is full", ""},
    Meaning{CKR_DEVICE_REMOVED, Exit::kToken, "CKR_DEVICE_REMOVED", "the token was removed", ""},
    Meaning{CKR_ENCRYPTED_DATA_INVALID, Exit::kRefused, "CKR_ENCRYPTED_DATA_INVALID",
            "the sealed data does not open", ""},
    Meaning{CKR_FUNCTION_NOT_SUPPORTED, Exit::kToken, "CKR_FUNCTION_NOT_SUPPORTED",
            "the module does not offer this function", ""},
    Meaning{CKR_KEY_HANDLE_INVALID, Exit::kToken, "CKR_KEY_HANDLE_INVALID",
            "the key is not there any more", ""},
    Meaning{CKR_KEY_TYPE_INCONSISTENT, Exit::kToken, "CKR_KEY_TYPE_INCONSISTENT",
            "the key is of another type", ""},
    Meaning{CKR_KEY_FUNCTION_NOT_PERMITTED, Exit::kRefused, "CKR_KEY_FUNCTION_NOT_PERMITTED",
            "the key or the installed provisioning software does not permit it", ""},
    Meaning{CKR_KEY_NOT_WRAPPABLE, Exit::kRefused, "CKR_KEY_NOT_WRAPPABLE",
            "the key cannot leave the token in this way", ""},
    Meaning{CKR_KEY_UNEXTRACTABLE, Exit::kRefused, "CKR_KEY_UNEXTRACTABLE",
            "the key cannot leave the token", ""},
    Meaning{CKR_MECHANISM_INVALID, Exit::kToken, "CKR_MECHANISM_INVALID",
            "the module does not offer this mechanism", "is it a Tallystick token?"},
    Meaning{CKR_MECHANISM_PARAM_INVALID, Exit::kRefused, "CKR_MECHANISM_PARAM_INVALID",
            "the mechanism's parameter is not acceptable", ""},
    Meaning{CKR_OBJECT_HANDLE_INVALID, Exit::kToken, "CKR_OBJECT_HANDLE_INVALID",
            "the object is not there any more", ""},
    Meaning{CKR_PIN_INCORRECT, Exit::kToken, "CKR_PIN_INCORRECT", "the PIN is wrong",
            "it was tried once; further wrong tries may lock the token"},
    Meaning{CKR_PIN_INVALID, Exit::kToken, "CKR_PIN_INVALID", "the PIN has bytes it may not have",
            ""},
    Meaning{CKR_PIN_LEN_RANGE, Exit::kToken, "CKR_PIN_LEN_RANGE",
            "the PIN is too short or too long", ""},
    Meaning{CKR_PIN_LOCKED, Exit::kToken, "CKR_PIN_LOCKED",
            "the PIN is locked after too many wrong tries",
            "a user's: `tallystick token set-pin --reset` sets a new one with the security "
            "officer's; private objects may be lost"},
    Meaning{CKR_SESSION_READ_ONLY, Exit::kToken, "CKR_SESSION_READ_ONLY",
            "the token is write-protected", ""},
    Meaning{CKR_SIGNATURE_INVALID, Exit::kRefused, "CKR_SIGNATURE_INVALID",
            "the signature or MAC does not verify", ""},
    Meaning{CKR_SIGNATURE_LEN_RANGE, Exit::kRefused, "CKR_SIGNATURE_LEN_RANGE",
            "the signature or MAC has the wrong length", ""},
    Meaning{CKR_TEMPLATE_INCOMPLETE, Exit::kToken, "CKR_TEMPLATE_INCOMPLETE",
            "the template lacks an attribute", ""},
    Meaning{CKR_TEMPLATE_INCONSISTENT, Exit::kRefused, "CKR_TEMPLATE_INCONSISTENT",
            "the attributes contradict each other", ""},
    Meaning{CKR_TOKEN_NOT_PRESENT, Exit::kToken, "CKR_TOKEN_NOT_PRESENT", "no token is present",
            ""},
    Meaning{CKR_TOKEN_NOT_RECOGNIZED, Exit::kToken, "CKR_TOKEN_NOT_RECOGNIZED",
            "the token is not recognised", "were its files damaged or swapped?"},
    Meaning{CKR_TOKEN_WRITE_PROTECTED, Exit::kToken, "CKR_TOKEN_WRITE_PROTECTED",
            "the token is write-protected", ""},
    Meaning{CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, Exit::kToken,
            "CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT", "the unwrapping key is of another type", ""},
    Meaning{CKR_USER_NOT_LOGGED_IN, Exit::kToken, "CKR_USER_NOT_LOGGED_IN", "not logged in", ""},
    Meaning{CKR_USER_PIN_NOT_INITIALIZED, Exit::kToken, "CKR_USER_PIN_NOT_INITIALIZED",
            "the token has no user PIN yet",
            "`tallystick token set-pin` sets the first one, with the security officer's PIN"},
    Meaning{CKR_WRAPPED_KEY_INVALID, Exit::kRefused, "CKR_WRAPPED_KEY_INVALID",
            "the blob was refused", ""},
    Meaning{CKR_WRAPPED_KEY_LEN_RANGE, Exit::kRefused, "CKR_WRAPPED_KEY_LEN_RANGE",
            "the blob has the wrong length", ""},
    Meaning{CKR_WRAPPING_KEY_TYPE_INCONSISTENT, Exit::kToken, "CKR_WRAPPING_KEY_TYPE_INCONSISTENT",
            "the wrapping key is of another type", ""},
    Meaning{CKR_FUNCTION_REJECTED, Exit::kRefused, "CKR_FUNCTION_REJECTED", "the token refused",
            ""},
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

Failure from_rv(std::string what, CK_RV rv, std::string advice) {
  const Meaning* meaning = meaning_of(rv);
  if (advice.empty() && meaning != nullptr) advice = meaning->advice;
  return {meaning == nullptr ? Exit::kToken : meaning->exit, std::move(what), rv_text(rv),
          std::move(advice)};
}

}  // namespace tallystick::cli
