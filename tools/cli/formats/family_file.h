// An existing family as a JSON file of hex values, for import: family_id, flags, shares (a list of
// 2 to 8), k_oem_share, k_oem_master_share.
#pragma once

#include "core/ts1/family.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

Outcome<core::Family> read_family_file(const std::string& path, core::ByteView icm_public_key);
Outcome<core::Family> parse_family_file(const std::string& name, core::ByteView text,
                                        core::ByteView icm_public_key);

}  // namespace tallystick::cli
