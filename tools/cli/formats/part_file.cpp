#include "tools/cli/formats/part_file.h"

#include "tools/cli/file_io.h"

namespace tallystick::cli {

Outcome<std::unique_ptr<device::Part>> open_part(const std::shared_ptr<const core::Crypto>& crypto,
                                                 const std::string& path) {
  if (const auto file = InputFile::open(path); !file) return file.error();
  auto part = device::Part::open(crypto, path);
  if (!part) return from_core(path, part.error());
  return *std::move(part);
}

}  // namespace tallystick::cli
