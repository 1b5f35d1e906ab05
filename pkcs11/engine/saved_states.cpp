#include "pkcs11/engine/saved_states.h"

#include "core/base/reader.h"
#include "core/crypto/crypto.h"

namespace tallystick::token {

Outcome<void> SavedStates::keep(const core::Crypto& crypto, CK_SLOT_ID slot,
                                const DigestOperation& digest, bool in_parts,
                                core::MutableByteView ticket) {
  auto copy = digest.copy();
  if (!copy) return std::move(copy).error();
  core::ByteArray<32> number{};
  if (auto filled = crypto.random(number); !filled) {
    return from_core(filled.error(), CKR_FUNCTION_FAILED);
  }
  core::Writer writer;
  const auto made = writer.text("TSOS").u16(1).bytes(number).take();
  const Lock lock(mutex_);
  if (states_.size() >= kMostStates) states_.pop_front();
  states_.push_back({made, slot, *std::move(copy), in_parts});
  std::ranges::copy(made, ticket.begin());
  return {};
}

Outcome<SavedStates::Digest> SavedStates::restore(CK_SLOT_ID slot, core::ByteView ticket) {
  State state;
  {
    const Lock lock(mutex_);
    // A search in order would tell by its time how much of a ticket was guessed.
    for (const auto& kept : states_) {
      if (core::equal_in_constant_time(kept.ticket, ticket) && kept.slot == slot) state = kept;
    }
  }
  if (!state.digest) return fault(CKR_SAVED_STATE_INVALID, "no state is kept under this ticket");
  auto copy = state.digest->copy();
  if (!copy) return std::move(copy).error();
  return Digest{*std::move(copy), state.in_parts};
}

}  // namespace tallystick::token
