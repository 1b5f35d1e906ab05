// RSA keys: their encodings in PKCS#11 and what libcrypto needs.
//
// The public numbers are attributes. The secret value of a private key is its six other numbers in
// a row, so that each can be given out as a view (where a key may be read): lv(d) ‖ lv(p) ‖ lv(q) ‖
// lv(d mod p-1) ‖ lv(d mod q-1) ‖ lv(q^-1 mod p), big-endian.
#pragma once

#include "core/crypto/crypto.h"
#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

// Bits of the moduli that the token works with.
constexpr CK_ULONG kSmallestModulus = 2048;
constexpr CK_ULONG kLargestModulus = 4096;

// A big integer of PKCS#11 without leading zeros.
core::ByteView significant(core::ByteView number);
// The length of a big-endian number in bits.
unsigned bits_of(core::ByteView number);

// `bits` from the smallest to the largest modulus, a multiple of 8; the exponent odd, at least
// 65537 and at most 64 bits long. CKR_ATTRIBUTE_VALUE_INVALID for others.
Outcome<SharedPkey> generate_rsa_key(const core::Crypto& crypto, CK_ULONG bits,
                                     core::ByteView exponent);

// Drafts of the halves of a key: class, type, modulus, public exponent, CKA_PUBLIC_KEY_INFO.
// CKR_KEY_SIZE_RANGE for a modulus that the token does not work with, CKR_ATTRIBUTE_VALUE_INVALID
// for a key of more than two primes.
Outcome<Draft> rsa_private_draft(const SharedPkey& key);
Outcome<ProducedPair> rsa_pair_drafts(const SharedPkey& key);

// For C_CreateObject: everything checked (A24). A private key needs both exponents and both primes;
// what follows from them may be left out.
Outcome<Draft> import_rsa_public(const core::Crypto& crypto, const Template& wanted);
Outcome<Draft> import_rsa_private(const core::Crypto& crypto, const Template& wanted);
// Whether the numbers of a private key are those of one key (A24): both primes, their product, the
// exponents and the coefficient.
bool is_whole_rsa_key(const core::Crypto& crypto, EVP_PKEY* key);
Outcome<SharedPkey> parse_rsa_key(const core::Crypto& crypto, const AttributeSet& attributes,
                                  core::ByteView value);

// One of the numbers in the secret value, by its attribute; empty for any other attribute.
core::ByteView rsa_component(core::ByteView value, CK_ATTRIBUTE_TYPE type);

}  // namespace tallystick::token
