// The integers of mboot, least significant byte first.
#pragma once

#include "core/base/little_endian.h"

namespace tallystick::mboot {

using core::little_endian::append16;
using core::little_endian::append32;
using core::little_endian::load16;
using core::little_endian::load32;

}  // namespace tallystick::mboot
