// Debug access (section 12 of docs/formats.md): how the owner of a part has its debug port opened
// again. The part says a challenge, the owner's key signs it for that one part and that one nonce.
//
//   challenge = "TSDC" ‖ u16(1) ‖ u16(0) ‖ part_id(32) ‖ nonce(32)                       72 bytes
//   token     = "TSDT" ‖ u16(1) ‖ u16(0) ‖ part_id(32) ‖ nonce(32) ‖ OEM X ‖ Y (96)
//               ‖ signature(96)                                                         264 bytes
//   signature = ECDSA P-384 / SHA-384 over "TS1/DEBUG" ‖ 0x00 ‖ part_id ‖ nonce
#pragma once

#include "core/crypto/ec.h"
#include "core/ts1/context.h"

namespace tallystick::core {

constexpr std::string_view kDebugChallengeMagic = "TSDC";
constexpr std::string_view kDebugTokenMagic = "TSDT";
constexpr std::size_t kDebugChallengeSize = 72;
constexpr std::size_t kDebugTokenSize = 264;

struct DebugChallenge {
  DeviceId part_id{};
  ByteArray<32> nonce{};
  bool operator==(const DebugChallenge&) const = default;
};

Bytes encode_debug_challenge(const DebugChallenge& challenge);
// kMalformed unless it is exactly one.
Result<DebugChallenge> parse_debug_challenge(ByteView bytes);
// What the owner's key signs.
Bytes debug_message(const DebugChallenge& challenge);

struct DebugToken {
  DebugChallenge challenge;
  ByteArray<96> oem_public_key{};  // X ‖ Y
  ByteArray<96> signature{};
};

Bytes encode_debug_token(const DebugToken& token);
// Form alone; kMalformed unless it is exactly one.
Result<DebugToken> parse_debug_token(ByteView bytes);
// The signature by the key that the token names; whether that is the owner is for the part to say.
// kBadSignature.
Status verify_debug_token(const Crypto& crypto, const DebugToken& token);

}  // namespace tallystick::core
