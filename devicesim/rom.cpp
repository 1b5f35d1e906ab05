#include "devicesim/rom.h"

#include <algorithm>

namespace tallystick::device {

using core::Error;
using core::ErrorCode;

core::Result<core::Software> check_software(const core::Crypto& crypto, const PartState& state,
                                            core::ByteView image) {
  const auto& family = state.immutable.family();
  if (!family) {
    return Error{ErrorCode::kLifeCycle,
                 "the immutable memory is empty: there is no key to check software with"};
  }
  return core::verify_software(crypto, image, family->icm_public_key, family->id,
                               core::FamilyRole::kPart, state.minimum_software_version);
}

core::Result<Latch> latch_software(const core::Crypto& crypto, const PartState& state) {
  if (state.life_cycle.state() == LifeCycle::kDamaged) {
    return Error{ErrorCode::kLifeCycle, "the life-cycle fuses are damaged: the part stays off"};
  }
  if (state.debug.fuses.state() == Return::kDamaged) {
    return Error{ErrorCode::kLifeCycle,
                 "the fuses of the debug port are damaged: the part stays off"};
  }
  Latch latch{std::nullopt, state};
  if (state.software.empty()) return latch;
  auto software = check_software(crypto, state, state.software);
  if (!software) {
    auto error = std::move(software).error();
    error.message = "the ROM refuses the stored software: " + error.message;
    return error;
  }
  if (software->header.version > state.minimum_software_version) {
    latch.state.minimum_software_version = software->header.version;
    latch.state_changed = true;
  }
  if (state.life_cycle.state() == LifeCycle::kBlank && software->permissions.moves(0, 1)) {
    if (auto moved = latch.state.life_cycle.advance(LifeCycle::kProvisioning); !moved) {
      return moved.error();
    }
    latch.state_changed = true;
  }
  latch.software = *std::move(software);
  return latch;
}

}  // namespace tallystick::device
