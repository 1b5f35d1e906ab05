// The sender's half of the key agreement by which blobs are sealed to one device.
#pragma once

#include "core/crypto/ec.h"
#include "core/ts1/context.h"

namespace tallystick::core {

struct Agreement {
  DeviceId recipient_id{};    // SHA-256 of the recipient's X ‖ Y
  ByteArray<64> ephemeral{};  // X ‖ Y of the key made for this one blob
  Secret z;                   // the x-coordinate of the shared point
};

// A fresh P-256 key and `recipient`, a device key. A known answer fixes the key; otherwise null.
Result<Agreement> agree_with(const Crypto& crypto, const EcPublicKey& recipient,
                             const EcPrivateKey* fixed);

}  // namespace tallystick::core
