// CK_RV as the commands fail with it.
#pragma once

#include <string>

#include <p11-kit/pkcs11.h>

#include "pkcs11/client/rv.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

using client::rv_text;

// kRefused for answers that mean "I may not" or "this does not verify", kToken for all others.
Failure from_rv(std::string what, CK_RV rv, std::string advice = "");

}  // namespace tallystick::cli
