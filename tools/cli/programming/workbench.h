// Workbench: where files are made that only stand under their names when they are whole. A hidden
// directory beside them, of this run alone: runs at the same time do not meet, and what a killed
// one left goes with the next.
#pragma once

#include <string>

#include "tools/cli/file_io.h"

namespace tallystick::cli {

class Workbench {
 public:
  // Clears what dead runs left in `directory` first.
  static Outcome<Workbench> open(const std::string& directory);
  Workbench(Workbench&& other) noexcept;
  Workbench& operator=(Workbench&&) = delete;
  Workbench(const Workbench&) = delete;
  Workbench& operator=(const Workbench&) = delete;
  // What was not delivered is removed.
  ~Workbench();

  // Where the file of that name is made.
  [[nodiscard]] std::string path(const std::string& name) const { return bench_ + "/" + name; }
  // Puts the file in its place and makes that durable. kFile, with the name, when something stands
  // there: nothing is ever written over. Safe to call from several threads.
  [[nodiscard]] Done deliver(const std::string& name) const;

 private:
  Workbench(std::string directory, FileHandle place, std::string bench, FileHandle lock)
      : directory_(std::move(directory)),
        place_(std::move(place)),
        bench_(std::move(bench)),
        lock_(std::move(lock)) {}

  std::string directory_;
  FileHandle place_;
  std::string bench_;
  FileHandle lock_;  // on the bench, as long as this run lives
};

}  // namespace tallystick::cli
