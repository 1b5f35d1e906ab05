// Silicon and noise that come again.
#pragma once

#include <memory>

#include "devicesim/puf/sram.h"
#include "devicesim/puf/stream.h"
#include "tests/support/value.h"
#include "tests/support/world.h"

namespace tallystick::test {

inline core::ByteArray<32> seed_of(std::uint32_t number) {
  core::ByteArray<32> seed{};
  for (std::size_t i = 0; i < 4; ++i) {
    seed[i] = static_cast<std::uint8_t>(number >> (8 * i) & 0xFFU);
  }
  return seed;
}

// A source that goes on from call to call.
inline device::puf::NoiseSource noise_from(std::uint32_t number) {
  auto stream = std::make_shared<device::puf::Stream>(
      value(device::puf::Stream::create(*shared_crypto(), seed_of(number))));
  return [stream](core::MutableByteView out) { return stream->fill(out); };
}

inline device::puf::Sram sram_of(std::uint32_t part, const device::puf::SramModel& model = {}) {
  return value(device::puf::Sram::create(*shared_crypto(), {seed_of(part), model}));
}

inline core::Secret start_up(const device::puf::Sram& sram, std::uint32_t noise) {
  return value(sram.power_on(noise_from(noise)));
}

}  // namespace tallystick::test
