// PKCS#11 as the engine sees it: p11-kit's 2.40 header, what it lacks of 3.0, and our numbers.
#pragma once

#include <climits>

#include <p11-kit/pkcs11.h>

#include "pkcs11/include/tallystick/pkcs11_tallystick.h"
#include "pkcs11/include/tallystick/pkcs11_v3.h"

// Structures that callers fill in with headers of their own.
#if ULONG_MAX > 0xFFFFFFFFUL
static_assert(sizeof(CK_CCM_PARAMS) == 48);
static_assert(sizeof(CK_HKDF_PARAMS) == 64);
static_assert(sizeof(CK_PRF_DATA_PARAM) == 24);
static_assert(sizeof(CK_SP800_108_COUNTER_FORMAT) == 16);
static_assert(sizeof(CK_SP800_108_DKM_LENGTH_FORMAT) == 24);
static_assert(sizeof(CK_DERIVED_KEY) == 24);
static_assert(sizeof(CK_SP800_108_KDF_PARAMS) == 40);
static_assert(sizeof(CK_PKCS5_PBKD2_PARAMS) == 72);
static_assert(sizeof(CK_PKCS5_PBKD2_PARAMS2) == 72);
#endif
