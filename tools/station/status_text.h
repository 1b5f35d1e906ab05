// Status words of mboot, for the operator of a line.
#pragma once

#include <string>

#include "devicesim/mboot/status_code.h"

namespace tallystick::station {

// "status 10118, bad key-encryption key: …": the word, its name, and what it means to a station.
std::string status_text(mboot::StatusCode status);

}  // namespace tallystick::station
