// A simulated part by its file, for the commands that look at one.
#pragma once

#include <memory>
#include <string>

#include "devicesim/part.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

// Powers the part on.
Outcome<std::unique_ptr<device::Part>> open_part(const std::shared_ptr<const core::Crypto>& crypto,
                                                 const std::string& path);

}  // namespace tallystick::cli
