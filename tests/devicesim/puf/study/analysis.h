// How often a key cannot be regenerated, and how much of it helper data would tell: by sums over
// everything that may happen, without a single random number where no one says otherwise.
#pragma once

#include <span>

#include "devicesim/puf/fuzzy_extractor.h"
#include "devicesim/puf/sram.h"

namespace tallystick::puf_study {

// Of cells with mean skew `mean`, in standard deviations of the skew.
struct CellRates {
  double ones = 0;       // fraction that starts as one
  double error = 0;      // fraction that two power-ons read differently
  double after_one = 0;  // reads zero, having read one before
  double after_zero = 0;
};
CellRates cell_rates(const device::puf::SramModel& model, double mean);

// Of a code bit repeated over pairs: the majority of its votes is wrong, or there is none.
struct BitRates {
  double wrong = 0;
  double erased = 0;
};
// In each pair one cell read one at enrolment and the other zero.
BitRates bit_rates(double after_one, double after_zero, std::size_t pairs);

// Of one codeword whose bits have these rates, all the same or each its own.
double codeword_failure(const BitRates& rates);
double codeword_failure(std::span<const BitRates> rates);

// Of the whole key: of parts with that mean skew, and over all parts of the model. These are exact
// for a random part at a random power-on, because its cells are independent of one another.
double key_failure_at(const device::puf::SramModel& model, double mean, std::size_t pairs);
double key_failure(const device::puf::SramModel& model,
                   std::size_t pairs = device::puf::kPairsPerBit);

// Of one part with its own cells, as it was enrolled.
double key_failure_of(const device::puf::Sram& sram, core::ByteView helper,
                      core::ByteView start_up_at_enrolment);

// Min-entropy of the 264 bits of the secret for who has the helper data, when a code bit is
// repeated over `repetition` bits that are one with probability `ones`, and nothing is done about
// it: the best guess after the helper data, averaged over them (Dodis and others 2008,
// section 2.4). A mean over `samples` codewords, the same ones for the same `seed`.
double entropy_left(double ones, unsigned repetition, unsigned samples, std::uint64_t seed);

}  // namespace tallystick::puf_study
