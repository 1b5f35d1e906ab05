// An SB3.1 container on the line: receive-sb-file hands it to the part, and says of a refusal what
// NXP's loader says.
#pragma once

#include "devicesim/line/transfer.h"

namespace tallystick::device {

// `length`: bytes of the whole file.
core::Result<TransferPtr> receive_sb3(Part& part, std::uint64_t length);

}  // namespace tallystick::device
