// A simulated part by its file, for the commands that look at one.
#pragma once

#include <memory>
#include <string>

#include "devicesim/part.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

// Whether a file begins as a part's does.
[[nodiscard]] bool begins_as_part(core::ByteView start);

// Powers the part on. A file that is none of a part's is not tried.
Outcome<std::unique_ptr<device::Part>> open_part(const std::shared_ptr<const core::Crypto>& crypto,
                                                 const std::string& path);

}  // namespace tallystick::cli
