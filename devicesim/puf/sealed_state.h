// How the state of a part with a PUF stands in its place: the helper data in clear, the state
// sealed under the key that they and the part's silicon give. What was sealed in one part opens in
// no other, whoever copies what.
//
//   payload = lv(helper data) ‖ Seal(storage key, suite 1, "TSPUF/STATE" ‖ 0x00 ‖ helper data,
//   state) payload = u32(0) ‖ state       of a part without a key: it has nothing to hide yet, or
//   any more
//
// The state is encode_state()'s, which then holds no device key.
#pragma once

#include "devicesim/part_state.h"
#include "devicesim/puf/identity.h"

namespace tallystick::device::puf {

// Null for `identity`: the part has no key. kStorage when it is more than a place takes.
core::Result<core::Secret> seal_state(const core::Crypto& crypto, const Identity* identity,
                                      const PartState& state);

// Empty: the part has no key. Points into the payload.
core::Result<core::ByteView> helper_data_in(core::ByteView payload);

// kStorage when a part without a key holds secrets all the same, or the bytes are no state;
// kOpenFailed when they are sealed under another key.
core::Result<PartState> open_state(const core::Crypto& crypto, const Identity* identity,
                                   core::ByteView payload);

}  // namespace tallystick::device::puf
