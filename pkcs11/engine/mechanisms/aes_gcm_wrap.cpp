// AES-GCM for wrapping with associated data (PKCS#11 3.2, C_WrapKeyAuthenticated).
#include "core/crypto/crypto.h"
#include "pkcs11/engine/keys/wrapped_key.h"
#include "pkcs11/engine/mechanisms/aead_message.h"
#include "pkcs11/engine/mechanisms/aes_gcm.h"
#include "pkcs11/engine/token.h"

namespace tallystick::token {

Outcome<core::Bytes> gcm_wrap(const WrapInput& input, const AuthenticatedInput& with) {
  const auto& crypto = input.context.crypto;
  auto message = read_gcm_message(with.parameter);
  if (!message) return std::move(message).error();
  // Under one nonce a key whose value is known would lay another one open.
  if (message->rule.generator != CKG_GENERATE && message->rule.generator != CKG_GENERATE_RANDOM) {
    return bad_parameter("the token makes the nonces of wrappings, at random");
  }
  const auto source = input.context.token.services().nonces->source(*input.wrapping_key);
  if (auto made = message->make_nonce(crypto, *input.wrapping_key, *source); !made) {
    return std::move(made).error();
  }
  auto encoded = key_encoding(crypto, *input.key);
  if (!encoded) return std::move(encoded).error();
  auto context = gcm_context(crypto, *input.wrapping_key, true, message->nonce, with.aad);
  if (!context) return std::move(context).error();
  core::Bytes blob(encoded->size());
  if (auto done = gcm_encrypt(context->get(), encoded->view(), blob); !done) {
    return std::move(done).error();
  }
  core::ByteArray<kGcmTagSize> tag{};
  if (auto done = gcm_tag(context->get(), tag); !done) return std::move(done).error();
  message->write_nonce();
  message->write_tag(tag);
  return blob;
}

Outcome<Produced> gcm_unwrap(const UnwrapInput& input, const AuthenticatedInput& with) {
  const auto& crypto = input.context.crypto;
  auto message = read_gcm_message(with.parameter);
  if (!message) return std::move(message).error();
  if (input.blob.empty()) return fault(CKR_WRAPPED_KEY_LEN_RANGE, "not the length of a key");
  auto context = gcm_context(crypto, *input.unwrapping_key, false, message->nonce, with.aad);
  if (!context) return std::move(context).error();
  core::Secret encoded(input.blob.size());
  if (!gcm_open(context->get(), input.blob, message->tag(), encoded.span())) {
    return fault(CKR_WRAPPED_KEY_INVALID, "not the wrapping of such a key");
  }
  auto draft = key_from_encoding(crypto, input.wanted, encoded.view());
  if (!draft) return std::move(draft).error();
  return Produced{*std::move(draft), {}, nullptr};
}

}  // namespace tallystick::token
