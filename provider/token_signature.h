// Signatures that a token makes: of digests; by EdDSA, ML-DSA and SLH-DSA of messages.
#pragma once

#include "provider/key.h"

namespace tallystick::provider {

struct RsaPadding {
  // RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_NO_PADDING.
  int mode = 0;
  // NID_undef: what is signed is no digest.
  int digest = 0;
  // For PSS. The salt may be a number or one of RSA_PSS_SALTLEN_.
  int mgf1_digest = 0;
  int salt = 0;
};
Outcome<core::Bytes> sign_by_rsa(const Key& key, const RsaPadding& padding, core::ByteView digest);
// As X.509 has it, r and s in a SEQUENCE.
Outcome<core::Bytes> sign_by_ecdsa(const Key& key, core::ByteView digest);
// EdDSA, ML-DSA, SLH-DSA.
Outcome<core::Bytes> sign_message_by(const Key& key, core::ByteView message);

}  // namespace tallystick::provider
