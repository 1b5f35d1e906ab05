// AES: key generation, CMAC, and the registration of the ciphers and wrappings.
#include "pkcs11/engine/mechanisms/aes_gcm.h"
#include "pkcs11/engine/mechanisms/aes_kwp.h"
#include "pkcs11/engine/mechanisms/mac_operation.h"
#include "pkcs11/engine/mechanisms/secret_gen.h"
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
  mechanism.for_managed = true;  // keys opened from packages, for the uses they came with
  return mechanism;
}

}  // namespace

void register_aes(MechanismTable& table) {
  auto generate = aes_mechanism(CKM_AES_KEY_GEN);
  generate.generate = &generate_aes;
  table.add(std::move(generate));

  auto gcm = aes_mechanism(CKM_AES_GCM);
  gcm.authenticated = true;
  gcm.encrypt = &make_gcm_encrypt;
  gcm.decrypt = &make_gcm_decrypt;
  table.add(std::move(gcm));

  auto cmac = aes_mechanism(CKM_AES_CMAC);
  cmac.sign = &make_cmac<SignOperation, MacSign>;
  cmac.verify = &make_cmac<VerifyOperation, MacVerify>;
  table.add(std::move(cmac));

  auto cmac_general = aes_mechanism(CKM_AES_CMAC_GENERAL);
  cmac_general.for_managed = false;
  cmac_general.sign = &make_cmac_general<SignOperation, MacSign>;
  cmac_general.verify = &make_cmac_general<VerifyOperation, MacVerify>;
  table.add(std::move(cmac_general));

  auto kwp = aes_mechanism(CKM_AES_KEY_WRAP_KWP);
  kwp.authenticated = true;
  kwp.wrapped_size = &kwp_size;
  kwp.wrap = &kwp_wrap;
  kwp.unwrap = &kwp_unwrap;
  table.add(std::move(kwp));
}

}  // namespace tallystick::token
