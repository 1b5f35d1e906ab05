#include "core/ts1/debug_access.h"

#include "core/base/reader.h"

namespace tallystick::core {
namespace {

void write_challenge(Writer& out, std::string_view magic, const DebugChallenge& challenge) {
  out.text(magic).u16(1).u16(0).bytes(challenge.part_id).bytes(challenge.nonce);
}

// Nothing when what stands there is of another kind or format.
std::optional<DebugChallenge> read_challenge(Reader& in, std::string_view magic) {
  const bool kind = text_of(in.take(magic.size())) == magic;
  const auto format = in.u16();
  const auto filler = in.u16();
  DebugChallenge challenge;
  challenge.part_id = in.array<32>();
  challenge.nonce = in.array<32>();
  if (!kind || format != 1 || filler != 0 || !in.ok()) return std::nullopt;
  return challenge;
}

}  // namespace

Bytes encode_debug_challenge(const DebugChallenge& challenge) {
  Writer out;
  write_challenge(out, kDebugChallengeMagic, challenge);
  return out.take();
}

Result<DebugChallenge> parse_debug_challenge(ByteView bytes) {
  Reader in(bytes);
  const auto challenge = read_challenge(in, kDebugChallengeMagic);
  if (challenge && in.done()) return *challenge;
  return Error{ErrorCode::kMalformed, "not a debug challenge"};
}

Bytes debug_message(const DebugChallenge& challenge) {
  Writer out;
  out.text("TS1/DEBUG").u8(0).bytes(challenge.part_id).bytes(challenge.nonce);
  return out.take();
}

Bytes encode_debug_token(const DebugToken& token) {
  Writer out;
  write_challenge(out, kDebugTokenMagic, token.challenge);
  out.bytes(token.oem_public_key).bytes(token.signature);
  return out.take();
}

Result<DebugToken> parse_debug_token(ByteView bytes) {
  Reader in(bytes);
  const auto challenge = read_challenge(in, kDebugTokenMagic);
  DebugToken token;
  token.oem_public_key = in.array<96>();
  token.signature = in.array<96>();
  if (!challenge || !in.done()) return Error{ErrorCode::kMalformed, "not a debug token"};
  token.challenge = *challenge;
  return token;
}

Status verify_debug_token(const Crypto& crypto, const DebugToken& token) {
  const auto key = EcPublicKey::from_xy(crypto, Curve::kP384, token.oem_public_key);
  const auto message = debug_message(token.challenge);
  if (key && key->verify(crypto, {message}, token.signature)) return {};
  return Error{ErrorCode::kBadSignature,
               "the owner's signature of the debug token does not verify"};
}

}  // namespace tallystick::core
