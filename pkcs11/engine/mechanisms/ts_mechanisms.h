// The vendor mechanisms of the token: everything in the public header.
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

// Adds the vendor mechanisms, the creators of CKO_TS_SOFTWARE and CKK_TS_FAMILY, and the entries of
// standard mechanisms that serve managed keys.
void register_ts_mechanisms(MechanismTable& table);

// One function a file, in the order of the public header.
void register_ts_family(MechanismTable& table);
void register_ts_software(MechanismTable& table);
void register_ts_share(MechanismTable& table);
void register_ts_keys(MechanismTable& table);
void register_ts_seal(MechanismTable& table);
void register_ts_package_tag(MechanismTable& table);

}  // namespace tallystick::token
