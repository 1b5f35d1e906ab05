#include "tests/fuzz/support/home.h"

#include <stdlib.h>

#include <stdexcept>

#include "tests/support/scratch.h"

namespace tallystick::fuzz {
namespace {

namespace fs = std::filesystem;

// A commit to a disk takes longer than all else that a target does.
fs::path where() {
  std::error_code ignored;
  if (getenv("TMPDIR") == nullptr && fs::is_directory("/dev/shm", ignored)) return "/dev/shm";
  return fs::temp_directory_path();
}

}  // namespace

Home::Home() {
  auto pattern = (where() / "tallystick-fuzz-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder for fuzzing");
  path_ = pattern;
}

Home::~Home() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string Home::put(const std::string& name, core::ByteView bytes) const {
  const auto path = path_ / name;
  fs::create_directories(path.parent_path());
  test::write_file(path.string(), bytes);
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  return path.string();
}

const Home& home() {
  static const Home one;
  return one;
}

std::string seed_path(const std::string& name) { return TALLYSTICK_FUZZ_SEED "/" + name; }
core::Bytes seed(const std::string& name) { return test::read_file(seed_path(name)); }

}  // namespace tallystick::fuzz
