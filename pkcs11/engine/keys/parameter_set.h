// The parameter sets of ML-KEM (FIPS 203), ML-DSA (FIPS 204) and SLH-DSA (FIPS 205): what PKCS#11
// calls them, what libcrypto does, and how long their values are. libcrypto has them from 3.5 on;
// whether the one that runs does is asked of it each time a module starts.
#pragma once

#include <span>

#include "core/crypto/crypto.h"
#include "pkcs11/engine/fault.h"

namespace tallystick::token {

struct ParameterSet {
  CK_KEY_TYPE key_type;
  CK_ULONG number;         // CKA_PARAMETER_SET
  const char* identifier;  // dotted
  // Lengths in bytes.
  std::size_t public_size;
  std::size_t private_size;  // of the expanded key, CKA_VALUE
  std::size_t seed_size;     // 0 where a key has no seed
  std::size_t result_size;   // of a signature or a ciphertext
  unsigned strength;         // bits
};

// All of them; those of a key type stand together.
std::span<const ParameterSet> parameter_sets();
// Whether keys of the type have a parameter set.
bool has_parameter_set(CK_KEY_TYPE key_type);
// CKR_PARAMETER_SET_NOT_SUPPORTED for a number that is none of the key type's.
Outcome<const ParameterSet*> find_parameter_set(CK_KEY_TYPE key_type, CK_ULONG number);

// Whether libcrypto has all the parameter sets of the key type.
bool offers_type(const core::Crypto& crypto, CK_KEY_TYPE key_type);

}  // namespace tallystick::token
