// The extended binary Golay code [24, 12, 8]: 12 bits become 24, and any two codewords differ in 8
// or more (Golay 1949; as the outer code of a key extractor: Bösch and others, CHES 2008).
//
// A codeword is message(12) ‖ check bits(12), the message in bits 23 to 12. The check bits are the
// remainder under g(x) = x^11 + x^10 + x^6 + x^5 + x^4 + x^2 + 1 and a bit of parity over all.
//
// The decoder is a bounded-distance one: with e wrong and f erased bits it gives the message when
// 2e + f < 8, and nothing, or another message, from there on. Four wrong bits are always noticed.
// That makes its failure rate a sum that can be written down (docs/puf.md).
#pragma once

#include <cstdint>
#include <optional>

namespace tallystick::device::puf {

constexpr unsigned kGolayLength = 24;
constexpr unsigned kGolayMessage = 12;

// The lower 12 bits of `message` count. Takes no branch and no address from them.
std::uint32_t golay_encode(std::uint32_t message);

// `erased` has a bit set for each bit of `word` that means nothing. Neither may go beyond 24 bits.
std::optional<std::uint32_t> golay_decode(std::uint32_t word, std::uint32_t erased = 0);

}  // namespace tallystick::device::puf
