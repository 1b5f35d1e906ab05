// What the file of a part begins with: what it was made as, and nothing changes.
//
//   "TSPART-2" ‖ u64(flash size) ‖ digest                                  a part with a stored key
//   "TSPART-3" ‖ u64(flash size) ‖ silicon, 44 ‖ digest                    a part with a PUF
//   silicon = seed(32) ‖ u32(error rate) ‖ u32(skew, two's complement) ‖ u32(spread of the skew)
//   digest  = SHA-256(all before it)
//
// The silicon is what the simulator has in place of the disorder of transistors. Real parts have
// nothing that could be read here.
#pragma once

#include <optional>
#include <string_view>

#include "devicesim/puf/sram.h"
#include "devicesim/storage.h"

namespace tallystick::device {

// What the file of every part begins with, whatever its kind.
constexpr std::string_view kPartFileKind = "TSPART-";

// Room for it in the file.
constexpr std::uint64_t kHeaderSize = 4096;

struct PartHeader {
  std::uint64_t flash_size = 0;
  std::optional<puf::Silicon> silicon;  // nothing: the part has no PUF
};

core::Status write_header(const core::Crypto& crypto, Storage& storage, const PartHeader& header);
// Nothing when it is not that of a part.
core::Result<std::optional<PartHeader>> read_header(const core::Crypto& crypto, Storage& storage);

}  // namespace tallystick::device
