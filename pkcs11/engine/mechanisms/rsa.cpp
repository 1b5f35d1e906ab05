// RSA key pairs, and the registration of what is done with them.
#include "pkcs11/engine/mechanisms/rsa.h"

namespace tallystick::token {
namespace {

constexpr core::ByteArray<3> kUsualExponent = {0x01, 0x00, 0x01};

Outcome<ProducedPair> generate_pair(const GeneratePairInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto bits = input.wanted_public.required_number(CKA_MODULUS_BITS);
  if (!bits) return std::move(bits).error();
  const auto exponent =
      input.wanted_public.find(CKA_PUBLIC_EXPONENT).value_or(core::ByteView(kUsualExponent));
  auto key = generate_rsa_key(input.context.crypto, *bits, significant(exponent));
  if (!key) return std::move(key).error();
  return rsa_pair_drafts(*key);
}

}  // namespace

Mechanism rsa_mechanism(CK_MECHANISM_TYPE type) {
  Mechanism mechanism;
  mechanism.type = type;
  mechanism.min_key_size = kSmallestModulus;
  mechanism.max_key_size = kLargestModulus;
  mechanism.key_types = {CKK_RSA};
  return mechanism;
}

void register_rsa(MechanismTable& table, const Settings& settings) {
  auto pair = rsa_mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN);
  pair.generate_pair = &generate_pair;
  table.add(std::move(pair));

  auto pkcs1 = rsa_mechanism(CKM_RSA_PKCS);
  add_pkcs1_signing(pkcs1);
  add_pkcs1_encryption(pkcs1, settings.rsa_pkcs1_decrypt);
  table.add(std::move(pkcs1));

  if (settings.rsa_raw) {
    auto raw = rsa_mechanism(CKM_RSA_X_509);
    add_raw_signing(raw);
    add_raw_encryption(raw);
    table.add(std::move(raw));
  }
  register_rsa_hash_signatures(table);
  register_rsa_oaep(table);
}

}  // namespace tallystick::token
