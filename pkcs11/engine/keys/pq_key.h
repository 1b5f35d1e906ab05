// Keys of ML-KEM, ML-DSA and SLH-DSA. Public and private values are the bytes of FIPS 203 to 205.
// The secret of an object is the expanded private key, with the seed before it where that is known.
#pragma once

#include "pkcs11/engine/keys/parameter_set.h"
#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

// The parameter set of a stored key.
Outcome<const ParameterSet*> parameter_set_of(const AttributeSet& attributes);

Outcome<SharedPkey> generate_pq_key(const core::Crypto& crypto, const ParameterSet& set);

// Drafts of the halves of a key: class, type, parameter set, CKA_VALUE, CKA_PUBLIC_KEY_INFO.
// CKR_KEY_TYPE_INCONSISTENT when the key is not of that type.
Outcome<Draft> pq_private_draft(CK_KEY_TYPE key_type, const SharedPkey& key);
Outcome<ProducedPair> pq_pair_drafts(CK_KEY_TYPE key_type, const SharedPkey& key);

// For C_CreateObject. A private key by its CKA_SEED, its CKA_VALUE or both, which must then be of
// one key.
Outcome<Draft> import_pq_public(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                const Template& wanted);
Outcome<Draft> import_pq_private(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                 const Template& wanted);
Outcome<SharedPkey> parse_pq_key(const core::Crypto& crypto, const AttributeSet& attributes,
                                 core::ByteView value);

// CKA_SEED, empty where it is not known, or CKA_VALUE.
core::ByteView pq_secret(CK_KEY_TYPE key_type, core::ByteView value, CK_ATTRIBUTE_TYPE type);

}  // namespace tallystick::token
