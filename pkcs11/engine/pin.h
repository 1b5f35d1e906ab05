// PINs: a PIN opens a 32-byte key through a memory-hard function. For the user that is the key of
// the private objects; for the SO it opens nothing else and only shows that the PIN was right.
#pragma once

#include "pkcs11/engine/root_key.h"
#include "pkcs11/engine/row.h"

namespace tallystick::token {

constexpr std::size_t kMinPinLength = 4;
constexpr std::size_t kMaxPinLength = 255;
constexpr unsigned kMaxTries = 10;
// 32 MiB and about 80 ms of one core for each guess on the copied files (A42).
constexpr core::ScryptCost kPinCost{1U << 15, 8, 1};

// CKR_PIN_LEN_RANGE outside the lengths above.
Outcome<void> check_pin_length(core::ByteView pin);
Outcome<PinRow> seal_pin(const core::Crypto& crypto, const RootKey& root, const TokenId& token_id,
                         PinRole role, core::ByteView pin, const core::Secret& key);
// CKR_PIN_INCORRECT for a wrong PIN and for a damaged row alike.
Outcome<core::Secret> open_pin(const core::Crypto& crypto, const RootKey& root,
                               const TokenId& token_id, const PinRow& row, core::ByteView pin);

}  // namespace tallystick::token
