// The state of a part with a PUF, and its helper data. The first byte says which of them the rest
// is.
#include "core/base/reader.h"
#include "core/ts1/seal.h"
#include "devicesim/puf/sealed_state.h"
#include "tests/devicesim/puf/support/noise.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/puf_part.h"

using namespace tallystick;

namespace {

const core::Crypto& crypto() { return fuzz::world().crypto; }

// What opens can be sealed, and opens as the same.
void open(const device::puf::Identity* identity, core::ByteView payload) {
  const auto state = device::puf::open_state(crypto(), identity, payload);
  if (!state) return;
  fuzz::expect(device::puf::helper_data_in(payload).ok(), "what opens has helper data");
  const auto again = device::puf::seal_state(crypto(), identity, *state);
  fuzz::expect(again.ok(), "a state that was opened can be sealed");
  const auto same = device::puf::open_state(crypto(), identity, again->view());
  fuzz::expect(same.ok(), "and opened once more");
  const auto one = device::encode_state(*state);
  const auto other = device::encode_state(*same);
  fuzz::expect(one.ok() && other.ok() && fuzz::same(one->view(), other->view()), "as the same");
}

// Behind the seal: a state that only the part itself can have written.
void open_sealed(const device::puf::Identity& identity, core::ByteView body) {
  core::Writer context;
  context.text("TSPUF/STATE").u8(0).bytes(identity.helper);
  const auto sealed =
      core::seal(crypto(), core::Suite::kGcm, identity.storage_key.view(), context.view(), body);
  if (!sealed) return;
  core::Writer payload;
  payload.lv(identity.helper).bytes(*sealed);
  open(&identity, payload.view());
}

// One part's silicon gives a key with its own helper data alone.
void regenerate(core::ByteView helper) {
  static const auto start_up = test::start_up(test::sram_of(1), 1);
  static const auto enrolled = test::value(device::puf::enrol(crypto(), start_up.view()));
  const auto key = device::puf::regenerate(crypto(), helper, start_up.view());
  fuzz::expect(!key.ok() || fuzz::same(helper, enrolled.helper), "only its own helper data");
  // The same, changed in the places that the input says.
  auto changed = enrolled.helper;
  for (std::size_t i = 0; i + 2 < helper.size() && i < 30; i += 3) {
    changed[(std::size_t{helper[i]} << 8U | helper[i + 1]) % changed.size()] ^= helper[i + 2];
  }
  const auto other = device::puf::regenerate(crypto(), changed, start_up.view());
  fuzz::expect(other.ok() == fuzz::same(changed, enrolled.helper), "and all of them");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const core::ByteView rest(data + 1, size - 1);
  const auto identity = fuzz::puf_identity();
  switch (data[0] % 4) {
    case 0:
      open(nullptr, rest);
      break;
    case 1:
      open(&identity, rest);
      break;
    case 2:
      open_sealed(identity, rest);
      break;
    default:
      regenerate(rest);
  }
  return 0;
}
