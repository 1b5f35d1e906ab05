// A part's state as its file keeps it: what is read is what would be written again. A state of an
// earlier version is written as one of the newest.
#include "devicesim/part_state.h"

#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/world.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const core::ByteView bytes(data, size);
  const auto state = device::decode_state(fuzz::world().crypto, bytes);
  if (!state) return 0;
  const auto again = device::encode_state(*state);
  fuzz::expect(again.ok(), "a state that was read can be written");
  constexpr std::uint8_t kNewest = 2;
  if (bytes.front() == kNewest) {
    fuzz::expect(fuzz::same(again->view(), bytes), "a state is the same when written again");
    return 0;
  }
  const auto newer = device::decode_state(fuzz::world().crypto, again->view());
  fuzz::expect(newer.ok(), "an old state that was written again can be read");
  const auto third = device::encode_state(*newer);
  fuzz::expect(third.ok() && fuzz::same(again->view(), third->view()), "and stays as it is");
  return 0;
}
