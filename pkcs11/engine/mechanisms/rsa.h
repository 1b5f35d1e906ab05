// What the RSA mechanisms share.
#pragma once

#include <algorithm>

#include "pkcs11/engine/keys/rsa_key.h"
#include "pkcs11/engine/mechanisms/hash_numbers.h"
#include "pkcs11/engine/mechanisms/ready_key.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {

// Bytes that PKCS#1 v1.5 adds at least.
constexpr std::size_t kPkcs1Overhead = 11;

// The length of the modulus, of a signature and of a ciphertext in bytes.
inline std::size_t rsa_size(const Object& key) {
  return significant(key.attributes().bytes(CKA_MODULUS)).size();
}

// A number as long as the modulus that RSA can be applied to.
inline bool below_modulus(const Object& key, core::ByteView number) {
  return std::ranges::lexicographical_compare(number,
                                              significant(key.attributes().bytes(CKA_MODULUS)));
}

// Tells contexts of one mechanism apart by the parameters that are in them.
constexpr std::uint64_t rsa_variant(CK_MECHANISM_TYPE type, core::Hash hash, core::Hash mgf,
                                    std::size_t salt = 0) {
  return type | static_cast<std::uint64_t>(hash) << 16U | static_cast<std::uint64_t>(mgf) << 24U |
         static_cast<std::uint64_t>(salt) << 32U;
}

Mechanism rsa_mechanism(CK_MECHANISM_TYPE type);

// CKM_RSA_PKCS and CKM_RSA_X_509 sign and encrypt: each adds its functions to the one entry.
void add_pkcs1_signing(Mechanism& mechanism);
void add_raw_signing(Mechanism& mechanism);
// With `decrypts`, what Bleichenbacher's attack needs (A31): decryption, and wrapping for those who
// decrypt. Unwrapping is not there at all.
void add_pkcs1_encryption(Mechanism& mechanism, bool decrypts);
void add_raw_encryption(Mechanism& mechanism);

// PSS and the mechanisms that hash the message themselves.
void register_rsa_hash_signatures(MechanismTable& table);
void register_rsa_oaep(MechanismTable& table);

}  // namespace tallystick::token
