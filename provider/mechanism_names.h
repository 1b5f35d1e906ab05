// Names of mechanisms, for messages that say which one a module refuses.
#pragma once

#include <string>

#include <p11-kit/pkcs11.h>

namespace tallystick::provider {

std::string mechanism_name(CK_MECHANISM_TYPE mechanism);

}  // namespace tallystick::provider
