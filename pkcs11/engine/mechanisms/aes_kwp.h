// AES key wrap with padding (SP 800-38F KWP, RFC 5649).
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

Outcome<std::size_t> kwp_size(const WrapInput& input);
Outcome<core::Bytes> kwp_wrap(const WrapInput& input);
Outcome<Produced> kwp_unwrap(const UnwrapInput& input);

}  // namespace tallystick::token
