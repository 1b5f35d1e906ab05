#include "pkcs11/engine/mechanisms/aead_message.h"

#include <algorithm>

#include "pkcs11/engine/mechanisms/aes_ccm.h"
#include "pkcs11/engine/mechanisms/aes_gcm.h"

namespace tallystick::token {

Outcome<void> AeadMessage::make_nonce(const core::Crypto& crypto, const Object& key,
                                      NonceSource& source) {
  if (rule.generator == CKG_NO_GENERATE) {
    if (key.managed()) return bad_parameter("the token makes the nonces of this key");
    return {};
  }
  // A counter begins at zero in every process; a key that others have too would meet itself.
  const bool counted =
      rule.generator == CKG_GENERATE_COUNTER || rule.generator == CKG_GENERATE_COUNTER_XOR;
  if (counted && key.on_token()) {
    return bad_parameter("counted nonces are for session keys: token keys take random ones");
  }
  return source.fill(crypto, rule, nonce);
}

core::ByteArray<16> AeadMessage::tag() const {
  return core::array_of<16>(core::ByteView(tag_memory, kGcmTagSize));
}

void AeadMessage::write_nonce() const {
  if (rule.generator != CKG_NO_GENERATE) std::ranges::copy(nonce, nonce_memory);
}

void AeadMessage::write_tag(core::ByteView tag) const { std::ranges::copy(tag, tag_memory); }

Outcome<AeadMessage> read_gcm_message(const CallParameter& parameter) {
  auto params = parameter.as<CK_GCM_MESSAGE_PARAMS>();
  if (!params) return std::move(params).error();
  if (params->ulTagBits != 8 * kGcmTagSize || params->pTag == nullptr) {
    return bad_parameter("GCM tags have 128 bits");
  }
  auto nonce = copy_memory(params->pIv, params->ulIvLen, kGcmLargestIv);
  if (!nonce) return std::move(nonce).error();
  return AeadMessage{
      params->pIv, params->pTag, *std::move(nonce), {params->ivGenerator, params->ulIvFixedBits}};
}

Outcome<AeadMessage> read_ccm_message(const CallParameter& parameter) {
  auto params = parameter.as<CK_CCM_MESSAGE_PARAMS>();
  if (!params) return std::move(params).error();
  if (params->ulMACLen != kCcmTagSize || params->pMAC == nullptr) {
    return bad_parameter("CCM tags have 16 bytes");
  }
  auto nonce = ccm_nonce(params->pNonce, params->ulNonceLen, params->ulDataLen);
  if (!nonce) return std::move(nonce).error();
  return AeadMessage{params->pNonce,
                     params->pMAC,
                     *std::move(nonce),
                     {params->nonceGenerator, params->ulNonceFixedBits},
                     params->ulDataLen};
}

}  // namespace tallystick::token
