// What a module answered, in words.
#pragma once

#include <string>

#include <p11-kit/pkcs11.h>

namespace tallystick::client {

// "the PIN is wrong [CKR_PIN_INCORRECT]"; the number for answers that the standard does not name.
std::string rv_text(CK_RV rv);

}  // namespace tallystick::client
