// The profile objects (CKO_PROFILE): which OASIS profiles of PKCS#11 every token here meets. They
// stand in no store; each process makes them anew, with the same ids.
#pragma once

#include <vector>

#include "pkcs11/engine/object.h"

namespace tallystick::token {

// One public, unchangeable object for each profile (PKCS#11 Profiles 3.1 section 5):
// - Baseline Provider, Extended Provider, Authentication Token: the functions and objects that they
//   name are all there;
// - HKDF TLS Token: CKM_HKDF_DATA derives "tls iv" and "tls quic iv", as any other info.
// Not claimed: Public Certificates Token, because certificates here may be private, and Complete
// Provider (docs: what the token does not offer).
std::vector<ObjectPtr> profile_objects();

}  // namespace tallystick::token
