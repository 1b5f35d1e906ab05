// HMAC with SHA-2.
#include "pkcs11/engine/mechanisms/mac_operation.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {
namespace {

template <typename Base, typename Operation, core::Hash kHash, CK_MECHANISM_TYPE kType>
Outcome<std::unique_ptr<Base>> make_hmac(const OperationInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto mac = keyed_mac(input, kType, [&input] {
    return core::Mac::hmac(input.context.crypto, kHash, input.key->value());
  });
  if (!mac) return std::move(mac).error();
  return std::unique_ptr<Base>(
      std::make_unique<Operation>(*std::move(mac), core::hash_size(kHash)));
}

template <core::Hash kHash, CK_MECHANISM_TYPE kType>
Mechanism hmac_mechanism(CK_KEY_TYPE key_type) {
  Mechanism mechanism;
  mechanism.type = kType;
  mechanism.min_key_size = 1;
  mechanism.max_key_size = 4096;
  mechanism.key_types = {CKK_GENERIC_SECRET, key_type};
  mechanism.for_managed = true;
  mechanism.sign = &make_hmac<SignOperation, MacSign, kHash, kType>;
  mechanism.verify = &make_hmac<VerifyOperation, MacVerify, kHash, kType>;
  return mechanism;
}

}  // namespace

void register_hmacs(MechanismTable& table) {
  table.add(hmac_mechanism<core::Hash::kSha256, CKM_SHA256_HMAC>(CKK_SHA256_HMAC));
  table.add(hmac_mechanism<core::Hash::kSha384, CKM_SHA384_HMAC>(CKK_SHA384_HMAC));
  table.add(hmac_mechanism<core::Hash::kSha512, CKM_SHA512_HMAC>(CKK_SHA512_HMAC));
}

}  // namespace tallystick::token
