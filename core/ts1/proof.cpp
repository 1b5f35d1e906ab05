#include "core/ts1/proof.h"

#include "core/base/reader.h"
#include "core/crypto/hash.h"

namespace tallystick::core {
namespace {

constexpr std::string_view kLabel = "TS1/PROOF";
constexpr std::size_t kSignatureSize = 64;
constexpr std::size_t kEntryBound = 64;

Error malformed() { return {ErrorCode::kMalformed, "not a proof of the profile", 0}; }

Bytes signed_message(ByteView challenge, const Proof& proof) {
  Writer out;
  out.text(kLabel).u8(0).bytes(challenge).bytes(encode_proof_body(proof));
  return out.take();
}

}  // namespace

Bytes encode_proof_body(const Proof& proof) {
  Writer out;
  out.bytes(proof.part_id).u8(proof.life_cycle).u32(proof.software_version).bytes(proof.context);
  out.u8(proof.suite).u32(proof.package_version);
  out.u8(static_cast<std::uint8_t>(proof.slots.size()));
  for (const auto& slot : proof.slots) out.u32(slot.slot).bytes(slot.mac);
  return out.take();
}

Bytes encode_proof(const Proof& proof) {
  auto out = encode_proof_body(proof);
  out.insert(out.end(), proof.signature.begin(), proof.signature.end());
  return out;
}

Result<Proof> parse_proof(ByteView bytes) {
  Reader in(bytes);
  Proof out;
  out.part_id = in.array<32>();
  out.life_cycle = in.u8();
  out.software_version = in.u32();
  out.context = in.array<Context::kSize>();
  out.suite = in.u8();
  out.package_version = in.u32();
  const std::size_t count = in.u8();
  if (!in.ok() || count > kMostAssets || out.life_cycle > 3 || out.suite > 2) return malformed();
  for (std::size_t i = 0; i < count; ++i) {
    ProofSlot slot;
    slot.slot = in.u32();
    slot.mac = in.array<48>();
    if (i > 0 && slot.slot <= out.slots.back().slot) return malformed();
    out.slots.push_back(slot);
  }
  const auto signature = in.take(kSignatureSize);
  const bool nothing_installed = all_zero(out.context);
  if (!in.done() || nothing_installed != (out.suite == 0) ||
      (nothing_installed && (count != 0 || out.package_version != 0))) {
    return malformed();
  }
  out.signature.assign(signature.begin(), signature.end());
  return out;
}

Bytes proof_mac_prefix(ByteView challenge, const DeviceId& part_id, ByteView entry) {
  Writer out;
  out.text(kLabel).u8(0).bytes(challenge).bytes(part_id).bytes(entry.first(kEntryBound));
  return out.take();
}

Result<Mac> start_slot_mac(const Crypto& crypto, ByteView proof_key, ByteView challenge,
                           const DeviceId& part_id, ByteView entry) {
  auto mac = Mac::hmac(crypto, Hash::kSha384, proof_key);
  if (!mac) return mac;
  if (auto fed = mac->update(proof_mac_prefix(challenge, part_id, entry)); !fed) {
    return std::move(fed).error();
  }
  return mac;
}

Status sign_proof(const Crypto& crypto, ByteView challenge, const EcPrivateKey& device_key,
                  Proof& proof) {
  auto signature = device_key.sign(crypto, {signed_message(challenge, proof)});
  if (!signature) return std::move(signature).error();
  proof.signature = *std::move(signature);
  return {};
}

Status check_proof_signature(const Crypto& crypto, ByteView challenge,
                             const EcPublicKey& device_key, const Proof& proof) {
  const auto id = sha256(crypto, {device_key.xy()});
  if (!id) return id.error();
  if (!equal_in_constant_time(*id, proof.part_id)) {
    return Error{ErrorCode::kProofRefused, "the proof is another part's", 0};
  }
  if (!device_key.verify(crypto, {signed_message(challenge, proof)}, proof.signature)) {
    return Error{ErrorCode::kProofRefused, "the part's signature does not hold for this challenge",
                 0};
  }
  return {};
}

}  // namespace tallystick::core
