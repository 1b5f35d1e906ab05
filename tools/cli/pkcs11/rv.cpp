#include "tools/cli/pkcs11/rv.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/bytes.h"
#include "tallystick/pkcs11_v3.h"

namespace tallystick::cli {
namespace {

// An answer that means "I may not" or "this does not verify"; all others keep a module, a token or
// a key out of reach.
constexpr std::array kRefusals = {
    CKR_ATTRIBUTE_READ_ONLY,
    CKR_ATTRIBUTE_SENSITIVE,
    CKR_ATTRIBUTE_VALUE_INVALID,
    CKR_ACTION_PROHIBITED,
    CKR_DATA_INVALID,
    CKR_DATA_LEN_RANGE,
    CKR_ENCRYPTED_DATA_INVALID,
    CKR_ENCRYPTED_DATA_LEN_RANGE,
    CKR_AEAD_DECRYPT_FAILED,
    CKR_KEY_INDIGESTIBLE,
    CKR_KEY_FUNCTION_NOT_PERMITTED,
    CKR_KEY_NOT_WRAPPABLE,
    CKR_KEY_UNEXTRACTABLE,
    CKR_MECHANISM_PARAM_INVALID,
    CKR_SIGNATURE_INVALID,
    CKR_SIGNATURE_LEN_RANGE,
    CKR_TEMPLATE_INCONSISTENT,
    CKR_WRAPPED_KEY_INVALID,
    CKR_WRAPPED_KEY_LEN_RANGE,
    CKR_WRAPPING_KEY_HANDLE_INVALID,
    CKR_INFORMATION_SENSITIVE,
    CKR_FUNCTION_REJECTED,
};

struct Advice {
  CK_RV rv;
  std::string_view text;
};

constexpr std::array kAdvice = {
    Advice{CKR_SLOT_ID_INVALID, "`tallystick token list` shows what is there"},
    Advice{CKR_DEVICE_ERROR, "is its disk full or read-only?"},
    Advice{CKR_MECHANISM_INVALID, "is it a Tallystick token?"},
    Advice{CKR_PIN_INCORRECT, "it was tried once; further wrong tries may lock the token"},
    Advice{CKR_PIN_EXPIRED, "`tallystick token set-pin` sets a new one"},
    Advice{CKR_PIN_LOCKED,
           "a user's: `tallystick token set-pin --reset` sets a new one with the security "
           "officer's; private objects may be lost"},
    Advice{CKR_SESSION_EXISTS, "close what uses it first"},
    Advice{CKR_TOKEN_NOT_RECOGNIZED, "were its files damaged or swapped, or is its disk full?"},
    Advice{CKR_USER_PIN_NOT_INITIALIZED,
           "`tallystick token set-pin` sets the first one, with the security officer's PIN"},
    Advice{CKR_WRAPPING_KEY_HANDLE_INVALID,
           "is its certificate of this family's chip maker? `tallystick icm certify` makes it"},
};

std::string_view advice_for(CK_RV rv) {
  const auto* found = std::find_if(kAdvice.begin(), kAdvice.end(),
                                   [rv](const Advice& advice) { return advice.rv == rv; });
  return found == kAdvice.end() ? "" : found->text;
}

}  // namespace

Failure from_rv(std::string what, CK_RV rv, std::string advice) {
  const bool refused = std::find(kRefusals.begin(), kRefusals.end(), rv) != kRefusals.end();
  if (advice.empty()) advice = advice_for(rv);
  return {refused ? Exit::kRefused : Exit::kToken, std::move(what), client::rv_text(rv),
          std::move(advice), rv};
}

}  // namespace tallystick::cli
