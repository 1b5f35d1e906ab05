// PKCS#11 as the engine sees it: p11-kit's 2.40 header, what it lacks of 3.0, and our numbers.
#pragma once

#include <p11-kit/pkcs11.h>

#include "pkcs11/include/tallystick/pkcs11_tallystick.h"
#include "pkcs11/include/tallystick/pkcs11_v3.h"
