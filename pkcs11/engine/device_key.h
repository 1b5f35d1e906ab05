// The device key: the token's own P-256 pair, made at the first C_InitToken and kept.
#pragma once

#include <utility>

#include "core/crypto/crypto.h"
#include "pkcs11/engine/object.h"

namespace tallystick::token {

constexpr std::string_view kDeviceLabel = "device";

// The public and the private half, with all their attributes.
Outcome<std::pair<Draft, Draft>> make_device_key(const core::Crypto& crypto);
// A fresh value of CKA_TS_NONCE.
Outcome<core::Bytes> make_nonce(const core::Crypto& crypto);

}  // namespace tallystick::token
