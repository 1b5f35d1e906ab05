// The file of a part, altered anywhere: it opens as a part or not at all, and what opens works.
// Input: changes of u8 kind, u24 place, u8 number of bytes, the bytes. Kinds: 1 the file ends
// there.
#include "core/ts1/proof.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/parts.h"

using namespace tallystick;

namespace {

// Where there is something in it: at the start of each place and bank.
std::size_t place(std::size_t given, std::size_t size) {
  constexpr std::size_t kHeader = 4096;
  constexpr std::size_t kPlace = 65536;
  switch (given >> 22U) {
    case 0:
      return given % kHeader;
    case 1:
      return (kHeader + given % 4096) % size;
    case 2:
      return (kHeader + kPlace + given % 4096) % size;
    default:
      return given % size;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const core::Bytes ready = fuzz::ready_part();
  fuzz::Input in(data, size);
  const auto file = std::make_shared<core::Bytes>(ready);
  for (unsigned i = 0; i < 16 && !in.empty() && !file->empty(); ++i) {
    const auto kind = in.u8();
    const std::size_t given = static_cast<std::size_t>(in.u8()) << 16U | in.u16();
    const auto at = place(given, file->size());
    if (kind == 1) {
      file->resize(given % (file->size() + 1));
      continue;
    }
    const auto bytes = in.take(in.u8());
    const auto count = std::min(bytes.size(), file->size() - at);
    std::ranges::copy(bytes.first(count), file->begin() + static_cast<std::ptrdiff_t>(at));
  }
  const auto part = fuzz::part_on(file);
  if (!part) return 0;
  (void)(*part)->info();
  (void)(*part)->prove(core::ByteArray<core::kChallengeSize>{});
  (void)(*part)->read_flash(0, 16);
  (void)(*part)->reset();
  return 0;
}
