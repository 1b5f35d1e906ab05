// X.509 certificate objects.
#pragma once

#include "core/crypto/crypto.h"
#include "pkcs11/engine/object.h"

namespace tallystick::token {

class Template;

// CKA_VALUE must be one DER certificate; subject, issuer, serial number and CKA_PUBLIC_KEY_INFO are
// read from it where the template does not give them.
Outcome<Draft> import_certificate(const core::Crypto& crypto, const Template& wanted);

}  // namespace tallystick::token
