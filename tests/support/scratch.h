// A folder of its own for one test, gone with the object.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/bytes.h"

namespace tallystick::test {

class Scratch {
 public:
  Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

core::Bytes read_file(const std::string& path);
void write_file(const std::string& path, core::ByteView bytes);

}  // namespace tallystick::test
