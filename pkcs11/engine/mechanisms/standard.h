// The standard mechanisms, one registration per family.
#pragma once

#include "pkcs11/engine/mechanism.h"
#include "pkcs11/engine/settings.h"

namespace tallystick::token {

void register_aes(MechanismTable& table);
void register_ec(MechanismTable& table);
void register_ecdh(MechanismTable& table);
void register_edwards(MechanismTable& table);
void register_montgomery(MechanismTable& table);
// These only where libcrypto has their keys.
void register_pq_signatures(MechanismTable& table, const core::Crypto& crypto);
void register_ml_kem(MechanismTable& table, const core::Crypto& crypto);
void register_rsa(MechanismTable& table, const Settings& settings);
void register_hkdf(MechanismTable& table);
void register_counter_kdf(MechanismTable& table);
void register_pbkdf2(MechanismTable& table);
void register_digests(MechanismTable& table);
void register_hmacs(MechanismTable& table);
void register_generic_secrets(MechanismTable& table);

// The settings say which of the mechanisms that are off by default are offered, `crypto` which
// libcrypto has.
void register_standard_mechanisms(MechanismTable& table, const Settings& settings,
                                  const core::Crypto& crypto);

}  // namespace tallystick::token
