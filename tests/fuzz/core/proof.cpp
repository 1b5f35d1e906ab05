// Proofs: what parses is the same when written again, and checks never run past it. Input: u8 flags
// (1: signed by the part), the proof.
#include "core/ts1/proof.h"

#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"
#include "tests/fuzz/support/world.h"
#include "tests/support/value.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr core::ByteArray<core::kChallengeSize> kChallenge{1, 2, 3};
  const auto& world = fuzz::world();
  fuzz::Input in(data, size);
  const auto flags = in.u8();
  const auto bytes = in.rest();
  auto proof = core::parse_proof(bytes);
  if (!proof) return 0;
  fuzz::expect(fuzz::same(core::encode_proof(*proof), bytes),
               "a proof is the same when written again");
  if ((flags & 1U) != 0) {
    test::done(core::sign_proof(world.crypto, kChallenge, world.part, *proof));
  }
  const auto good =
      core::check_proof_signature(world.crypto, kChallenge, world.part.public_key(), *proof);
  fuzz::expect(!good || proof->part_id == world.part_id, "a proof is of the part that signed it");
  return 0;
}
