#include "tools/cli/formats/part_file.h"

#include <algorithm>

#include "devicesim/part_file.h"
#include "tools/cli/file_io.h"

namespace tallystick::cli {

bool begins_as_part(core::ByteView start) {
  return core::text_of(start).starts_with(device::kPartFileKind);
}

Outcome<std::unique_ptr<device::Part>> open_part(const std::shared_ptr<const core::Crypto>& crypto,
                                                 const std::string& path) {
  {
    const auto file = InputFile::open(path);
    if (!file) return file.error();
    core::Bytes start(std::min<std::uint64_t>(file->size(), device::kPartFileKind.size()));
    if (auto done = file->read_at(0, start); !done) return std::move(done).error();
    if (!begins_as_part(start)) return file_failure(path, "not the file of a part");
  }
  auto part = device::Part::open(crypto, path);
  if (part) return *std::move(part);
  // The storage names the file itself.
  core::Error error = std::move(part).error();
  if (error.message.starts_with(path + ": ")) error.message.erase(0, path.size() + 2);
  return from_core(path, error);
}

}  // namespace tallystick::cli
