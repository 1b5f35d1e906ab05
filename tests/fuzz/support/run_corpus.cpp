// Stands in for libFuzzer where a target's corpus is run as a plain test: every file of the folders
// that are named, and what is left of it when it is cut off or one of its bits is another. A target
// that finds something ends the process.
//
//   fuzz_<target> FOLDER [RUNS]
//
// RUNS of each file at most, for targets whose every run takes long.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/scratch.h"

// libFuzzer's, too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using tallystick::core::Bytes;

// Of each file: as it is, every length where there are not many, else two thirds of the runs spread
// over it, and bits in as many places as there are runs left.
constexpr std::size_t kUsualRuns = 73;

// A block of its own, so that a sanitizer sees what is read behind it.
void run(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::uint8_t> input(data, data + size);
  (void)LLVMFuzzerTestOneInput(input.data(), input.size());
}

std::size_t run_file(const std::filesystem::path& path, std::size_t most) {
  auto seed = tallystick::test::read_file(path.string());
  run(seed.data(), seed.size());
  std::size_t runs = 1;
  const auto cuts = std::min(seed.size(), (most - 1) * 2 / 3);
  for (std::size_t i = 0; i < cuts; ++i, ++runs) run(seed.data(), i * seed.size() / cuts);
  const auto flips = std::min(seed.size(), (most - 1) / 3);
  for (std::size_t i = 0; i < flips; ++i, ++runs) {
    auto& byte = seed[i * seed.size() / flips];
    const auto bit = static_cast<std::uint8_t>(1U << (i % 8));
    byte ^= bit;
    run(seed.data(), seed.size());
    byte ^= bit;
  }
  return runs;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2 && argc != 3) throw std::runtime_error("one folder is wanted");
    const auto most = argc == 3 ? std::stoul(argv[2]) : kUsualRuns;
    if (most == 0) throw std::runtime_error("one run is the least");
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    if (files.empty()) throw std::runtime_error("the corpus is empty");
    std::ranges::sort(files);
    std::size_t runs = 0;
    for (const auto& file : files) {
      (void)std::fprintf(stderr, "%s\n", file.filename().c_str());
      runs += run_file(file, most);
    }
    (void)std::printf("%zu files, %zu runs\n", files.size(), runs);
    return 0;
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
