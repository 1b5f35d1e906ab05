// Proof of what a part holds (section 9 of docs/formats.md).
#pragma once

#include <vector>

#include "core/crypto/ec.h"
#include "core/crypto/mac.h"
#include "core/ts1/package.h"

namespace tallystick::core {

constexpr std::size_t kChallengeSize = 32;

struct ProofSlot {
  std::uint32_t slot = 0;
  ByteArray<48> mac{};
};

struct Proof {
  DeviceId part_id{};
  std::uint8_t life_cycle = 0;
  std::uint32_t software_version = 0;
  // All zero with suite 0 and no slots when nothing is installed.
  ByteArray<Context::kSize> context{};
  std::uint8_t suite = 0;
  std::uint32_t package_version = 0;
  std::vector<ProofSlot> slots;  // rising order
  Bytes signature;               // 64 bytes
};

// Everything of the proof before its signature.
Bytes encode_proof_body(const Proof& proof);
// Body and signature.
Bytes encode_proof(const Proof& proof);
// Form only: exact length, slots rising, life cycle 0 to 3, suite 0 to 2. kMalformed.
Result<Proof> parse_proof(ByteView bytes);

// "TS1/PROOF" ‖ 0x00 ‖ challenge ‖ part_id ‖ entry[0..64): what stands before the plaintext in the
// input of a slot's MAC. `entry` has 128 bytes.
Bytes proof_mac_prefix(ByteView challenge, const DeviceId& part_id, ByteView entry);
// A MAC under K_PROOF that has taken in that prefix and waits for the plaintext.
Result<Mac> start_slot_mac(const Crypto& crypto, ByteView proof_key, ByteView challenge,
                           const DeviceId& part_id, ByteView entry);

// Signs `proof` by the part's device key; fills in the signature.
Status sign_proof(const Crypto& crypto, ByteView challenge, const EcPrivateKey& device_key,
                  Proof& proof);
// Checks part_id against the key, and the signature; kProofRefused. For anyone.
Status check_proof_signature(const Crypto& crypto, ByteView challenge,
                             const EcPublicKey& device_key, const Proof& proof);

}  // namespace tallystick::core
