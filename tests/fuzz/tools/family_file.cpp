// Families in JSON: what is accepted can be imported.
#include "tools/cli/formats/family_file.h"

#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/world.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& world = fuzz::world();
  const auto family =
      cli::parse_family_file("family.json", core::ByteView(data, size), world.icm.public_xy());
  if (!family) return 0;
  const auto import = core::encode_family_import(*family);
  fuzz::expect(core::parse_family_import(world.crypto, import.view()).ok(),
               "a family from a file can be imported");
  return 0;
}
