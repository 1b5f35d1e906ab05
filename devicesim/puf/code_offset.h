// The code-offset construction (Juels and Wattenberg 1999; Dodis and others 2004, section 5.1)
// over pairs of cells: a random secret is encoded, and the difference between the codeword and the
// cells is public. Cells that read almost the same give the codeword with few errors, and those are
// corrected.
//
// The cells come as pairs that started differently, and the bit of a pair is its first cell: one
// and zero are equally likely whatever the bias of the part (von Neumann 1951; kept as both bits,
// "pair-output", by Maes and others, CHES 2015). Both cells vote when the secret is regenerated.
//
//   secret, 264 bits = 22 messages of the Golay code = 528 code bits
//   a code bit is repeated over 8 pairs, 16 cells: a majority of its votes, or an erasure when even
#pragma once

#include <span>

#include "core/base/secret.h"

namespace tallystick::device::puf {

constexpr std::size_t kCodewords = 22;
constexpr std::size_t kCodeBits = 24 * kCodewords;
constexpr std::size_t kPairsPerBit = 8;
constexpr std::size_t kPairs = kCodeBits * kPairsPerBit;
constexpr std::size_t kOffsetSize = kPairs / 8;
constexpr std::size_t kSecretBits = 12 * kCodewords;
constexpr std::size_t kCodeSecretSize = kSecretBits / 8;
static_assert(kPairs % 8 == 0 && kSecretBits % 8 == 0);

// What the two cells of a pair started as, bit 1 the first and bit 0 the second of them.
using Pair = std::uint8_t;

// The difference between the first cells of kPairs pairs and the codeword of the secret.
core::Bytes code_offset(std::span<const Pair> pairs, core::ByteView secret);

struct Decoded {
  core::Secret secret;  // kCodeSecretSize bytes
  // False: at least one codeword had more errors than the code corrects, and its bits of the secret
  // are zero.
  bool complete = true;
};
Decoded decode_offset(std::span<const Pair> pairs, core::ByteView offset);

}  // namespace tallystick::device::puf
