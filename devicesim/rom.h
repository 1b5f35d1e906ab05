// The boot ROM at reset: it checks the stored provisioning software against the immutable memory
// and says what the part's state has to be before that software runs.
#pragma once

#include <optional>

#include "core/ts1/software.h"
#include "devicesim/part_state.h"

namespace tallystick::device {

struct Latch {
  // Nothing: none is stored.
  std::optional<core::Software> software;
  // Minimum version raised, life cycle moved on where the software permits it; to be committed
  // before the software runs.
  PartState state;
  bool state_changed = false;
};

// The checks of section 7 on an image that is offered or stored; Error::check 1 to 7.
core::Result<core::Software> check_software(const core::Crypto& crypto, const PartState& state,
                                            core::ByteView image);

core::Result<Latch> latch_software(const core::Crypto& crypto, const PartState& state);

}  // namespace tallystick::device
