// The last step of the life cycle, and what somebody may ask before he takes it.
#include "devicesim/part.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Result;
using core::Status;

Status Part::check_lock(const std::vector<SlotReport>& slots) const {
  constexpr const char* kWhat = "lock";
  if (auto checked = check_programmable(Action::kLock, kWhat); !checked) return checked;
  if (!state_.installed) return Error{ErrorCode::kLifeCycle, "lock: nothing is installed"};
  if (!running_->permissions().moves(static_cast<std::uint8_t>(life_cycle()),
                                     static_cast<std::uint8_t>(LifeCycle::kLocked))) {
    return Error{ErrorCode::kNotPermitted, "lock: the running software does not permit it"};
  }
  if (!slots.empty() && !choose_application(slots)) {
    return Error{ErrorCode::kLifeCycle,
                 "lock: none of the installed applications would start, and a locked part takes no "
                 "other"};
  }
  return {};
}

Status Part::lock() {
  auto slots = check_applications(*crypto_, file_, state_);
  if (!slots) return std::move(slots).error();
  if (auto checked = check_lock(*slots); !checked) return checked;
  auto next = state_;
  if (auto moved = next.life_cycle.advance(LifeCycle::kLocked); !moved) return moved;
  return commit(std::move(next));
}

Result<LockRehearsal> Part::rehearse_lock() {
  auto slots = check_applications(*crypto_, file_, state_);
  if (!slots) return std::move(slots).error();
  LockRehearsal rehearsal;
  rehearsal.from = life_cycle();
  if (auto checked = check_lock(*slots); !checked) rehearsal.refused = checked.error();
  const auto word = state_.fuses.read(kIspFuseWord);
  rehearsal.isp_open = !word || *word != kIspClosedCode;
  rehearsal.starts = choose_application(*slots);
  rehearsal.debug_can_be_opened = state_.owner && state_.debug.tries < kDebugTries;
  if (!rehearsal.isp_open) {
    rehearsal.notes.emplace_back(
        "the last fuse word closes the serial line: it gives identity and takes debug tokens, "
        "nothing else");
  }
  if (state_.certificate.empty()) {
    rehearsal.notes.emplace_back(
        "the part holds no certificate of its device key, and takes none once it is locked");
  }
  if (state_.installed && state_.installed->proof_key.empty()) {
    rehearsal.notes.emplace_back("the part cannot prove what it holds");
  }
  if (slots->empty()) {
    rehearsal.notes.emplace_back("there is no application image for the ROM to start");
  }
  for (const auto& slot : *slots) {
    if (slot.verdict == SlotVerdict::kValid) continue;
    rehearsal.notes.push_back("the application in slot " + std::to_string(slot.slot) + ": " +
                              std::string(verdict_text(slot.verdict)));
  }
  if (!rehearsal.debug_can_be_opened) {
    rehearsal.notes.emplace_back("the debug port cannot be opened again: no tries are left");
  }
  return rehearsal;
}

bool Part::isp_closed() const {
  if (life_cycle() != LifeCycle::kLocked || returned()) return false;
  const auto word = state_.fuses.read(kIspFuseWord);
  return word && *word == kIspClosedCode;
}

}  // namespace tallystick::device
