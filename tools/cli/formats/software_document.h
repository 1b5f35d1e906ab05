// Provisioning software as a document.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/ts1/software.h"

namespace tallystick::cli {

// What an image is and permits, for people and scripts.
nlohmann::ordered_json software_document(const core::Software& software);

}  // namespace tallystick::cli
