// Home: a folder of this process for the files that targets need, in memory where there is such a
// place, gone when the process ends in an ordinary way.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/bytes.h"

namespace tallystick::fuzz {

class Home {
 public:
  Home();
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  ~Home();

  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  // Writes a file that only its owner may read.
  std::string put(const std::string& name, core::ByteView bytes) const;

 private:
  std::filesystem::path path_;
};

// One for the process.
const Home& home();

// What the maker of the corpus left for all targets: tests/fuzz/seed/<name>.
std::string seed_path(const std::string& name);
core::Bytes seed(const std::string& name);

}  // namespace tallystick::fuzz
