// The 32 bytes that make a proof fresh.
#pragma once

#include <string>

#include "core/ts1/proof.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

// 64 hexadecimal digits, or file:PATH of 32 bytes or of such digits.
Outcome<core::ByteArray<core::kChallengeSize>> parse_challenge(const std::string& text);

}  // namespace tallystick::cli
