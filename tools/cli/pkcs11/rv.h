// CK_RV in words.
#pragma once

#include <string>

#include <p11-kit/pkcs11.h>

#include "tools/cli/failure.h"

namespace tallystick::cli {

// "the PIN is wrong [CKR_PIN_INCORRECT]".
std::string rv_text(CK_RV rv);
// kRefused for answers that mean "I may not" or "this does not verify", kToken for all others.
Failure from_rv(std::string what, CK_RV rv, std::string advice = "");

}  // namespace tallystick::cli
