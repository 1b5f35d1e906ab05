// The way back to the owner: a token for one part and one challenge erases the part and opens its
// debug port (section 12 of docs/formats.md).
#include "core/certificate/device_certificate.h"
#include "devicesim/part.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Result;
using core::Status;

namespace {

constexpr const char* kWhat = "open the debug port";

Error refused(ErrorCode code, const char* why) { return {code, std::string(kWhat) + ": " + why}; }

Error no_tries() { return refused(ErrorCode::kNotPermitted, "all tries are spent"); }

}  // namespace

Result<core::DebugChallenge> Part::make_debug_challenge() {
  if (auto permitted = check_idle(Action::kAskDebug, kWhat); !permitted) return permitted.error();
  if (!state_.owner) return refused(ErrorCode::kLifeCycle, "the part has no owner");
  if (state_.debug.tries >= kDebugTries) return no_tries();
  core::DebugChallenge challenge{state_.id, {}};
  if (auto made = crypto_->random(challenge.nonce); !made) return made.error();
  auto next = state_;
  next.debug.nonce = challenge.nonce;
  if (auto committed = commit(std::move(next)); !committed) return committed.error();
  return challenge;
}

Result<core::DebugChallenge> Part::debug_challenge() const {
  if (state_.debug.nonce) return core::DebugChallenge{state_.id, *state_.debug.nonce};
  return refused(ErrorCode::kLifeCycle, "no challenge waits for a token");
}

Status Part::open_debug(core::ByteView bytes) {
  if (auto permitted = check_idle(Action::kAskDebug, kWhat); !permitted) return permitted;
  const auto token = core::parse_debug_token(bytes);
  if (!token) return token.error();
  if (!state_.owner) return refused(ErrorCode::kLifeCycle, "the part has no owner");
  if (state_.debug.tries >= kDebugTries) return no_tries();
  auto waiting = debug_challenge();
  if (!waiting) return std::move(waiting).error();
  if (!core::equal_in_constant_time(token->challenge.part_id, waiting->part_id)) {
    return refused(ErrorCode::kWrongRecipient, "the token is for another part");
  }
  if (!core::equal_in_constant_time(token->challenge.nonce, waiting->nonce)) {
    return refused(ErrorCode::kConsentRefused, "the token is for another challenge");
  }
  const auto owner = core::key_id(*crypto_, token->oem_public_key);
  if (!owner) return owner.error();
  if (!core::equal_in_constant_time(*owner, *state_.owner)) {
    return refused(ErrorCode::kWrongOwner, "the part belongs to another OEM");
  }
  auto tried = state_;
  tried.debug.nonce.reset();
  ++tried.debug.tries;
  if (auto committed = commit(std::move(tried)); !committed) return committed;
  if (auto verified = core::verify_debug_token(*crypto_, *token); !verified) return verified;

  // From here on there is no way back to what the part was: a cut leaves it to power-on to go on.
  cut_off();
  auto empty = state_.without_secrets();
  if (auto moved = empty.debug.fuses.advance(Return::kErasing); !moved) return moved;
  running_.reset();
  software_.reset();
  application_.reset();
  boot_error_.reset();
  share_blob_.clear();
  ++resets_;
  if (auto committed = file_.commit(empty, Remains::kErased); !committed) return committed;
  state_ = std::move(empty);
  return finish_return();
}

Status Part::finish_return() {
  for (unsigned bank = 0; bank < 2; ++bank) {
    if (auto wiped = file_.wipe_bank(bank); !wiped) return wiped;
  }
  auto open = state_;
  if (auto moved = open.debug.fuses.advance(Return::kOpen); !moved) return moved;
  // Also what a cut left of the old state behind the new one.
  if (auto committed = file_.commit(open, Remains::kErased); !committed) return committed;
  state_ = std::move(open);
  return {};
}

Status Part::read_debug(std::uint64_t offset, core::MutableByteView out) {
  if (auto permitted = check_idle(Action::kDebug, "read through the debug port"); !permitted) {
    return permitted;
  }
  return file_.read_bank(state_.active_bank, offset, out);
}

}  // namespace tallystick::device
