// Sealed streams: what the fuzzer brings never opens under a key that it does not have, what was
// sealed opens again however both streams are cut, and one bit that is another makes it fail.
//
// Input: u8 flags (1: suite 2, 2: the bytes are sealed ones), u16 piece, u16 place of the bit, the
// bytes.
#include "core/ts1/seal.h"

#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

using namespace tallystick;

namespace {

constexpr core::ByteArray<32> kKey{1, 2, 3, 4};
constexpr std::string_view kContext = "a context of the fuzzer";

template <typename Stream>
bool run(Stream& stream, core::ByteView in, std::size_t piece, core::Bytes& out) {
  const core::ByteSink sink = [&out](core::ByteView bytes) -> core::Status {
    out.insert(out.end(), bytes.begin(), bytes.end());
    return {};
  };
  while (!in.empty()) {
    const auto count = std::min(piece, in.size());
    if (!stream.update(in.first(count), sink)) return false;
    in = in.subspan(count);
  }
  return stream.finish(sink).ok();
}

bool open(core::Suite suite, core::ByteView sealed, std::size_t piece, core::Bytes& out) {
  auto opener = test::value(
      core::Opener::create(fuzz::world().crypto, suite, kKey, core::bytes_of(kContext)));
  return run(opener, sealed, piece, out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& crypto = fuzz::world().crypto;
  fuzz::Input in(data, size);
  const auto flags = in.u8();
  const auto suite = (flags & 1U) != 0 ? core::Suite::kCcm : core::Suite::kGcm;
  const std::size_t piece = in.u16() + 1U;
  const std::size_t place = in.u16();
  const auto bytes = in.rest();
  core::Bytes out;
  if ((flags & 2U) != 0) {
    const bool opened = open(suite, bytes, piece, out);
    core::Bytes whole;
    fuzz::expect(opened == open(suite, bytes, bytes.size() + 1, whole) && out == whole,
                 "pieces do not change what opens");
    const auto at_once = core::open(crypto, suite, kKey, core::bytes_of(kContext), bytes);
    fuzz::expect(at_once.ok() == opened, "a stream opens what opens at once");
    return 0;
  }
  auto sealer = test::value(core::Sealer::create(crypto, suite, kKey, core::bytes_of(kContext)));
  core::Bytes sealed;
  fuzz::expect(run(sealer, bytes, piece, sealed), "anything can be sealed");
  fuzz::expect(sealed.size() == test::value(core::sealed_length(bytes.size())),
               "sealed bytes have the length that is announced");
  fuzz::expect(open(suite, sealed, piece / 3 + 1, out) && fuzz::same(out, bytes),
               "what was sealed opens again");
  sealed[place % sealed.size()] ^= static_cast<std::uint8_t>(1U << (place % 8));
  core::Bytes released;
  fuzz::expect(!open(suite, sealed, piece, released), "altered bytes do not open");
  fuzz::expect(
      released.size() <= bytes.size() && fuzz::same(released, bytes.first(released.size())),
      "nothing of an altered chunk comes out");
  return 0;
}
