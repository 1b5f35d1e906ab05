// Makes tests/fuzz/seed and the files of tests/fuzz/corpus that come from the product. Inputs that
// a finding left stay: they are no files of these names.
//
//   fuzz_make_corpus tests/fuzz
#include <cstdio>
#include <exception>

#include "tests/fuzz/maker/corpus.h"
#include "tests/support/scratch.h"

namespace tallystick::fuzz::maker {

void Corpus::add(const std::string& target, const std::string& name, core::ByteView bytes) const {
  const auto folder = folder_ / "corpus" / target;
  std::filesystem::create_directories(folder);
  test::write_file((folder / name).string(), bytes);
}

void Corpus::seed(const std::string& name, core::ByteView bytes) const {
  const auto path = folder_ / "seed" / name;
  std::filesystem::create_directories(path.parent_path());
  test::write_file(path.string(), bytes);
}

}  // namespace tallystick::fuzz::maker

int main(int argc, char** argv) {
  using namespace tallystick::fuzz::maker;  // NOLINT(google-build-using-namespace): a thin main
  if (argc != 2 || argv[1][0] == '-') {
    (void)std::fprintf(stderr, "usage: fuzz_make_corpus tests/fuzz\n");
    return 2;
  }
  try {
    const Corpus corpus(argv[1]);
    make_seed_token(corpus);
    make_core(corpus);
    make_pkcs11(corpus);
    make_devicesim(corpus);
    make_tools(corpus);
    return 0;
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
