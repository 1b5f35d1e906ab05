// A part with a PUF whose keys never change: those that its silicon would give.
#pragma once

#include "devicesim/puf/fuzzy_extractor.h"
#include "devicesim/puf/identity.h"
#include "tests/fuzz/support/world.h"

namespace tallystick::fuzz {

inline device::puf::Identity puf_identity() {
  device::puf::Identity identity;
  identity.helper = core::Bytes(device::puf::kHelperSize, 0x51);
  // The world outlives whoever holds it.
  identity.device_key = std::shared_ptr<const core::EcPrivateKey>(&world().part, [](auto*) {});
  identity.storage_key = core::Secret::copy_of(core::Bytes(32, 7));
  return identity;
}

}  // namespace tallystick::fuzz
