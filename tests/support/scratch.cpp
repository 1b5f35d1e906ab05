#include "tests/support/scratch.h"

#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace tallystick::test {

Scratch::Scratch() {
  auto pattern = (std::filesystem::temp_directory_path() / "tallystick-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no scratch folder");
  path_ = pattern;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

core::Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, core::ByteView bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << core::text_of(bytes);
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path);
}

}  // namespace tallystick::test
