// A software image as a file.
#pragma once

#include "core/ts1/software.h"
#include "tools/cli/file_io.h"

namespace tallystick::cli {

// The bytes of an image, unchecked: whoever takes it checks it.
inline Outcome<core::Bytes> read_software_file(const std::string& path) {
  return read_file(path, core::kMostSoftware);
}

}  // namespace tallystick::cli
