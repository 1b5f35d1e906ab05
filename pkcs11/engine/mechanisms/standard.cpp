#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {

void register_standard_mechanisms(MechanismTable& table, const Settings& settings,
                                  const core::Crypto& crypto) {
  register_aes(table);
  register_rsa(table, settings);
  register_ec(table);
  register_ecdh(table);
  register_edwards(table);
  register_montgomery(table);
  register_pq_signatures(table, crypto);
  register_ml_kem(table, crypto);
  register_digests(table);
  register_hmacs(table);
  register_generic_secrets(table);
  register_hkdf(table);
  register_counter_kdf(table);
  if (settings.pkcs5_pbkd2) register_pbkdf2(table);
}

}  // namespace tallystick::token
