#include "devicesim/prover.h"

#include <algorithm>

#include "core/ts1/proof.h"

namespace tallystick::device {
namespace {

using core::Error;
using core::ErrorCode;
using core::Result;

constexpr std::size_t kReadBlock = 32UL * 1024;

Result<core::ProofSlot> prove_asset(const core::Crypto& crypto, PartFile& file,
                                    const PartState& state, core::ByteView challenge,
                                    std::size_t index, core::Secret& block) {
  const auto& entry = state.installed->head.entries[index];
  auto mac = core::start_slot_mac(crypto, state.installed->proof_key.view(), challenge, state.id,
                                  state.installed->head.entry_bytes(index));
  if (!mac) return std::move(mac).error();
  auto place = asset_place(state.immutable.manufacture().memory, entry, index);
  while (place.length > 0) {
    const auto count = std::min<std::uint64_t>(place.length, block.size());
    const auto piece = block.span().first(static_cast<std::size_t>(count));
    if (auto read = file.read_bank(state.active_bank, place.offset, piece); !read) {
      return read.error();
    }
    if (auto updated = mac->update(piece); !updated) return updated.error();
    place.offset += count;
    place.length -= count;
  }
  core::ProofSlot slot;
  slot.slot = entry.slot;
  if (auto finished = mac->finish(slot.mac); !finished) return finished.error();
  return slot;
}

}  // namespace

Result<core::Bytes> make_proof(const core::Crypto& crypto, PartFile& file, const PartState& state,
                               std::uint32_t software_version, core::ByteView challenge) {
  if (challenge.size() != core::kChallengeSize) {
    return Error{ErrorCode::kInvalidArgument, "a challenge has 32 bytes"};
  }
  core::Proof proof;
  proof.part_id = state.id;
  proof.life_cycle = static_cast<std::uint8_t>(state.life_cycle.state());
  proof.software_version = software_version;
  if (state.installed) {
    if (state.installed->proof_key.empty()) {
      return Error{ErrorCode::kNotPermitted,
                   "the package was installed by software that does not prove"};
    }
    const auto& head = state.installed->head;
    proof.context = head.header.context.encode();
    proof.suite = static_cast<std::uint8_t>(head.header.suite);
    proof.package_version = head.header.package_version;
    core::Secret block(kReadBlock);
    for (std::size_t i = 0; i < head.entries.size(); ++i) {
      auto slot = prove_asset(crypto, file, state, challenge, i, block);
      if (!slot) return std::move(slot).error();
      proof.slots.push_back(*slot);
    }
    std::sort(proof.slots.begin(), proof.slots.end(),
              [](const auto& a, const auto& b) { return a.slot < b.slot; });
  }
  if (auto done = core::sign_proof(crypto, challenge, *state.device_key, proof); !done) {
    return done.error();
  }
  return core::encode_proof(proof);
}

}  // namespace tallystick::device
