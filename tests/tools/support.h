// What the tests of the command have in common.
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "tests/support/scratch.h"
#include "tools/cli/app.h"

namespace tallystick::cli {

// A folder of its own for one test, with files written in one line.
class Scratch {
 public:
  [[nodiscard]] std::string operator/(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] std::string path() const { return folder_.path().string(); }
  // Gives the path.
  std::string file(const std::string& name, std::string_view contents) const {
    test::write_file(*this / name, core::bytes_of(contents));
    return *this / name;
  }

 private:
  test::Scratch folder_;
};

inline std::string contents_of(const std::string& path) {
  return std::string(core::text_of(test::read_file(path)));
}

struct Ran {
  int status = -1;
  std::string out;
  std::string err;
};

// Runs the command in this process.
inline Ran tallystick(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"tallystick"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  std::ostringstream out;
  std::ostringstream err;
  const int status = run(static_cast<int>(argv.size()), argv.data(), out, err);
  return {status, out.str(), err.str()};
}

}  // namespace tallystick::cli
