#include "tests/devicesim/puf/study/simulation.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "devicesim/puf/stream.h"
#include "tests/support/value.h"

namespace tallystick::puf_study {
namespace {

using device::puf::kCells;
using device::puf::kStartUpSize;
using device::puf::Sram;
using device::puf::SramModel;
using test::value;

core::ByteArray<32> numbered(std::uint64_t number, std::uint8_t what) {
  core::ByteArray<32> seed{};
  seed[0] = what;
  for (std::size_t i = 0; i < 8; ++i) {
    seed[1 + i] = static_cast<std::uint8_t>(number >> (8 * i) & 0xFFU);
  }
  return seed;
}

// A part of the population and the noise of its life.
struct Subject {
  Subject(const core::Crypto& crypto, const SramModel& model, std::size_t number)
      : sram(value(Sram::create(crypto, {numbered(number, 1), model}))),
        noise(value(device::puf::Stream::create(crypto, numbered(number, 2)))) {}
  core::Secret power_on() {
    return value(sram.power_on([this](core::MutableByteView out) { return noise.fill(out); }));
  }

  Sram sram;
  device::puf::Stream noise;
};

std::uint64_t word_of(core::ByteView bytes, std::size_t index) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + 8 * index, 8);
  return word;
}

double ones_in(core::ByteView values) {
  int count = 0;
  for (std::size_t i = 0; i < kStartUpSize / 8; ++i) count += std::popcount(word_of(values, i));
  return static_cast<double>(count) / kCells;
}

double distance(core::ByteView a, core::ByteView b) {
  int count = 0;
  for (std::size_t i = 0; i < kStartUpSize / 8; ++i) {
    count += std::popcount(word_of(a, i) ^ word_of(b, i));
  }
  return static_cast<double>(count) / kCells;
}

double differing_pairs(core::ByteView values) {
  int count = 0;
  for (const auto byte : values) count += std::popcount((byte ^ (byte >> 1U)) & 0x55U);
  return static_cast<double>(count) / (kCells / 2);
}

}  // namespace

Spread spread_of(std::span<const double> values) {
  Spread out;
  double sum = 0;
  double squares = 0;
  for (const double one : values) sum += one;
  const auto count = static_cast<double>(values.size());
  out.mean = sum / count;
  for (const double one : values) squares += (one - out.mean) * (one - out.mean);
  out.deviation = std::sqrt(squares / (count - 1));
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  out.least = *least;
  out.most = *most;
  return out;
}

Population study_population(const core::Crypto& crypto, const SramModel& model, std::size_t parts,
                            std::size_t neighbours, const Progress& progress) {
  Population out;
  std::vector<core::Bytes> first;
  first.reserve(parts);
  for (std::size_t number = 0; number < parts; ++number) {
    Subject part(crypto, model, number);
    const auto enrolled_at = part.power_on();
    const auto again = part.power_on();
    const auto helper = value(device::puf::enrol(crypto, enrolled_at.view())).helper;
    out.uniformity.push_back(ones_in(enrolled_at.view()));
    out.intra.push_back(distance(enrolled_at.view(), again.view()));
    out.pairs.push_back(differing_pairs(enrolled_at.view()));
    out.key_failure.push_back(key_failure_of(part.sram, helper, enrolled_at.view()));
    first.emplace_back(enrolled_at.view().begin(), enrolled_at.view().end());
    progress(number + 1);
  }
  for (std::size_t a = 0; a < parts; ++a) {
    for (std::size_t step = 1; step <= std::min(neighbours, (parts - 1) / 2); ++step) {
      out.inter.push_back(distance(first[a], first[(a + step) % parts]));
    }
  }
  return out;
}

KeyTrials try_keys(const core::Crypto& crypto, const SramModel& model, std::size_t parts,
                   std::size_t power_ons_each, const Progress& progress) {
  KeyTrials out;
  double squares = 0;
  for (std::size_t number = 0; number < parts; ++number) {
    // Other parts than those of the population.
    Subject part(crypto, model, number + 1'000'000);
    const auto enrolled_at = part.power_on();
    const auto made = value(device::puf::enrol(crypto, enrolled_at.view()));
    const double rate = key_failure_of(part.sram, made.helper, enrolled_at.view());
    double failures = 0;
    for (std::size_t i = 0; i < power_ons_each; ++i) {
      const auto key = device::puf::regenerate(crypto, made.helper, part.power_on().view());
      if (!key) {
        ++failures;
      } else if (!core::equal_in_constant_time(key->view(), made.key.view())) {
        ++out.other_keys;
      }
    }
    out.power_ons += power_ons_each;
    out.failures += static_cast<std::uint64_t>(failures);
    out.expected += rate * static_cast<double>(power_ons_each);
    squares += failures * failures;
    progress(number + 1);
  }
  const double mean = static_cast<double>(out.failures) / static_cast<double>(parts);
  out.error = std::sqrt(std::max(squares - static_cast<double>(parts) * mean * mean, 0.0));
  return out;
}

}  // namespace tallystick::puf_study
