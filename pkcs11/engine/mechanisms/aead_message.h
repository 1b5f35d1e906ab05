// What the message forms of GCM and CCM have in common: where the caller's nonce and tag are, and
// how a nonce is made.
#pragma once

#include "pkcs11/engine/mechanism.h"
#include "pkcs11/engine/nonce_book.h"

namespace tallystick::token {

// A message's parameter, read once. The pointers are into the caller's memory.
struct AeadMessage {
  std::uint8_t* nonce_memory = nullptr;
  std::uint8_t* tag_memory = nullptr;
  core::Bytes nonce;  // as the caller gave it
  NonceRule rule;
  std::optional<std::size_t> size = {};  // of the text, where the parameter tells it

  // The nonce of a message that is encrypted: the caller's own, or one that `source` makes.
  // CKG_NO_GENERATE is for ordinary keys only (A33).
  Outcome<void> make_nonce(const core::Crypto& crypto, const Object& key, NonceSource& source);
  [[nodiscard]] core::ByteArray<16> tag() const;
  void write_nonce() const;
  void write_tag(core::ByteView tag) const;
};

// CKR_MECHANISM_PARAM_INVALID for null pointers, a tag that has not 128 bits (A34), a nonce of a
// length that is not served.
Outcome<AeadMessage> read_gcm_message(const CallParameter& parameter);
Outcome<AeadMessage> read_ccm_message(const CallParameter& parameter);

// CKM_AES_GCM and CKM_AES_CCM for C_MessageEncryptInit and C_MessageDecryptInit.
Outcome<std::unique_ptr<MessageOperation>> make_gcm_message_encrypt(const OperationInput& input);
Outcome<std::unique_ptr<MessageOperation>> make_gcm_message_decrypt(const OperationInput& input);
Outcome<std::unique_ptr<MessageOperation>> make_ccm_message_encrypt(const OperationInput& input);
Outcome<std::unique_ptr<MessageOperation>> make_ccm_message_decrypt(const OperationInput& input);

// CKM_AES_GCM for C_WrapKeyAuthenticated and C_UnwrapKeyAuthenticated.
Outcome<core::Bytes> gcm_wrap(const WrapInput& input, const AuthenticatedInput& with);
Outcome<Produced> gcm_unwrap(const UnwrapInput& input, const AuthenticatedInput& with);

}  // namespace tallystick::token
