// AES: key generation, CMAC, and the registration of the ciphers and wrappings.
#include "pkcs11/engine/mechanisms/aead_message.h"
#include "pkcs11/engine/mechanisms/aes_cbc.h"
#include "pkcs11/engine/mechanisms/aes_ccm.h"
#include "pkcs11/engine/mechanisms/aes_ctr.h"
#include "pkcs11/engine/mechanisms/aes_gcm.h"
#include "pkcs11/engine/mechanisms/aes_key_wrap.h"
#include "pkcs11/engine/mechanisms/mac_operation.h"
#include "pkcs11/engine/mechanisms/secrets.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {
namespace {

constexpr CK_ULONG kSmallestKey = 16;
constexpr CK_ULONG kLargestKey = 32;

Outcome<Produced> generate_aes(const GenerateInput& input) {
  return make_secret(input, CKK_AES, kSmallestKey);
}

Outcome<core::Mac> keyed_cmac(const OperationInput& input) {
  return keyed_mac(input, CKM_AES_CMAC,
                   [&input] { return core::Mac::cmac(input.context.crypto, input.key->value()); });
}

template <typename Base, typename Operation>
Outcome<std::unique_ptr<Base>> make_cmac(const OperationInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto mac = keyed_cmac(input);
  if (!mac) return std::move(mac).error();
  const auto size = mac->size();
  return std::unique_ptr<Base>(std::make_unique<Operation>(*std::move(mac), size));
}

template <typename Base, typename Operation>
Outcome<std::unique_ptr<Base>> make_cmac_general(const OperationInput& input) {
  auto mac = keyed_cmac(input);
  if (!mac) return std::move(mac).error();
  auto size = general_length(input.parameter, mac->size());
  if (!size) return std::move(size).error();
  return std::unique_ptr<Base>(std::make_unique<Operation>(*std::move(mac), *size));
}

Mechanism aes_mechanism(CK_MECHANISM_TYPE type) {
  Mechanism mechanism;
  mechanism.type = type;
  mechanism.min_key_size = kSmallestKey;
  mechanism.max_key_size = kLargestKey;
  mechanism.key_types = {CKK_AES};
  return mechanism;
}

// The one that encrypts and decrypts data.
Mechanism cipher_mechanism(CK_MECHANISM_TYPE type, Mechanism::CipherFactory encrypt,
                           Mechanism::CipherFactory decrypt) {
  auto mechanism = aes_mechanism(type);
  mechanism.encrypt = encrypt;
  mechanism.decrypt = decrypt;
  return mechanism;
}

}  // namespace

// Those for managed keys serve keys opened from packages, for the uses they came with.
void register_aes(MechanismTable& table) {
  auto generate = aes_mechanism(CKM_AES_KEY_GEN);
  generate.generate = &generate_aes;
  table.add(std::move(generate));

  auto gcm = cipher_mechanism(CKM_AES_GCM, &make_gcm_encrypt, &make_gcm_decrypt);
  gcm.authenticated = true;
  gcm.for_managed = true;
  gcm.message_encrypt = &make_gcm_message_encrypt;
  gcm.message_decrypt = &make_gcm_message_decrypt;
  gcm.wrap_authenticated = &gcm_wrap;
  gcm.unwrap_authenticated = &gcm_unwrap;
  table.add(std::move(gcm));

  auto ccm = cipher_mechanism(CKM_AES_CCM, &make_ccm_encrypt, &make_ccm_decrypt);
  ccm.authenticated = true;
  ccm.message_encrypt = &make_ccm_message_encrypt;
  ccm.message_decrypt = &make_ccm_message_decrypt;
  table.add(std::move(ccm));

  table.add(cipher_mechanism(CKM_AES_CTR, &make_ctr_encrypt, &make_ctr_decrypt));
  table.add(cipher_mechanism(CKM_AES_CBC, &make_cbc_encrypt, &make_cbc_decrypt));
  table.add(cipher_mechanism(CKM_AES_CBC_PAD, &make_cbc_pad_encrypt, &make_cbc_pad_decrypt));

  auto cmac = aes_mechanism(CKM_AES_CMAC);
  cmac.for_managed = true;
  cmac.sign = &make_cmac<SignOperation, MacSign>;
  cmac.verify = &make_cmac<VerifyOperation, MacVerify>;
  table.add(std::move(cmac));

  auto cmac_general = aes_mechanism(CKM_AES_CMAC_GENERAL);
  cmac_general.sign = &make_cmac_general<SignOperation, MacSign>;
  cmac_general.verify = &make_cmac_general<VerifyOperation, MacVerify>;
  table.add(std::move(cmac_general));

  for (const CK_MECHANISM_TYPE type : {CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP}) {
    auto key_wrap = aes_mechanism(type);
    // A key from a package that unwraps keys is never one that decrypts data.
    key_wrap.for_managed = type == CKM_AES_KEY_WRAP_KWP;
    add_key_wrap(key_wrap);
    table.add(std::move(key_wrap));
  }
}

}  // namespace tallystick::token
