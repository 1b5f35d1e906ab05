// AES key wrap of SP 800-38F: KW (RFC 3394) for whole blocks of 8 bytes, KWP (RFC 5649) for any
// length. Both wrap keys, and encrypt data for applications that keep their keys elsewhere.
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

// Fills in the functions of an entry for CKM_AES_KEY_WRAP or CKM_AES_KEY_WRAP_KWP.
void add_key_wrap(Mechanism& mechanism);

}  // namespace tallystick::token
