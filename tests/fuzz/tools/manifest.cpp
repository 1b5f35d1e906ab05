// Package manifests in TOML.
#include "tools/cli/formats/manifest.h"

#include "tests/fuzz/support/expect.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto manifest =
      cli::parse_manifest("package.toml", core::text_of(core::ByteView(data, size)), "/folder");
  if (!manifest) {
    fuzz::expect(!cli::line_of(manifest.error()).empty(), "a refused file is told what is wrong");
    return 0;
  }
  fuzz::expect(!manifest->assets.empty() && manifest->assets.size() <= core::kMostAssets,
               "a manifest has as many assets as a package");
  return 0;
}
