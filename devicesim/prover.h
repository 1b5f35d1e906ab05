// Proof of what a part holds (section 9 of docs/formats.md).
#pragma once

#include "devicesim/part_file.h"

namespace tallystick::device {

// Every installed asset is read again from its place; 32 KiB of memory whatever its length.
core::Result<core::Bytes> make_proof(const core::Crypto& crypto, PartFile& file,
                                     const PartState& state, std::uint32_t software_version,
                                     core::ByteView challenge);

}  // namespace tallystick::device
