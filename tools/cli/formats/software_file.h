// A software image as a file.
#pragma once

#include "tools/cli/file_io.h"

namespace tallystick::cli {

// The bytes of an image, unchecked: whoever takes it checks it.
inline Outcome<core::Bytes> read_software_file(const std::string& path) {
  // No list of permissions makes a larger one.
  constexpr std::size_t kMostSoftwareFile = 4096;
  return read_file(path, kMostSoftwareFile);
}

}  // namespace tallystick::cli
