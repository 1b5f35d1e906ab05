// SavedStates: what C_GetOperationState has put aside. The state of a digest stays here, in a copy
// of libcrypto's own; the caller gets a ticket of random bytes that nobody can guess.
#pragma once

#include <deque>
#include <memory>

#include "pkcs11/engine/lock.h"
#include "pkcs11/engine/operation.h"

namespace tallystick::core {
class Crypto;
}

namespace tallystick::token {

class SavedStates {
 public:
  // "TSOS" ‖ u16(1) ‖ 32 random bytes.
  static constexpr std::size_t kTicketSize = 38;
  // The oldest goes for one more than this.
  static constexpr std::size_t kMostStates = 1024;

  struct Digest {
    std::unique_ptr<DigestOperation> operation;
    bool in_parts = false;
  };

  // Keeps a copy of the state for the token of one slot; writes its ticket.
  Outcome<void> keep(const core::Crypto& crypto, CK_SLOT_ID slot, const DigestOperation& digest,
                     bool in_parts, core::MutableByteView ticket);
  // A copy of what a ticket stands for, as often as it is asked for; CKR_SAVED_STATE_INVALID for
  // all others.
  Outcome<Digest> restore(CK_SLOT_ID slot, core::ByteView ticket);

 private:
  struct State {
    core::Bytes ticket;
    CK_SLOT_ID slot = 0;
    std::shared_ptr<const DigestOperation> digest;
    bool in_parts = false;
  };

  Mutex mutex_;
  std::deque<State> states_ TS_GUARDED_BY(mutex_);  // the oldest first
};

}  // namespace tallystick::token
