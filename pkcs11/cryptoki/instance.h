// The one module of a process, which PKCS#11 demands. Nothing here has a destructor that runs at
// exit: applications call us from handlers of their own, in any order.
#pragma once

#include <memory>

#include "pkcs11/engine/module.h"

namespace tallystick::cryptoki {

// The module between C_Initialize and C_Finalize; null otherwise, in a child after fork (A46), and
// once libcrypto has cleaned up at exit.
std::shared_ptr<token::Module> current();

token::Outcome<void> initialize(const CK_C_INITIALIZE_ARGS* args);
token::Outcome<void> finalize();

}  // namespace tallystick::cryptoki
