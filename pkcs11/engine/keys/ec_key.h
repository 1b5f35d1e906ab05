// EC keys on the named curves of the table: their encodings in PKCS#11 and what libcrypto needs.
#pragma once

#include "core/crypto/crypto.h"
#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

struct EcCurve {
  int nid;
  const char* group;       // libcrypto's name
  std::size_t field_size;  // bytes of a coordinate
  std::size_t order_size;  // bytes of a scalar and of half a signature
  unsigned bits;
  core::ByteView oid;  // DER, the value of CKA_EC_PARAMS
};

// CKR_CURVE_NOT_SUPPORTED for a named curve that is not in the table, CKR_DOMAIN_PARAMS_INVALID for
// anything that is not the name of a curve.
Outcome<const EcCurve*> find_curve(core::ByteView ec_params);
// nullptr when the key is not on a curve of the table.
const EcCurve* curve_of(const EVP_PKEY* key);

// 0x04 ‖ X ‖ Y of a key.
Outcome<core::Bytes> ec_point(const EVP_PKEY* key);
// The point in CKA_EC_POINT, or of a peer: in a DER OCTET STRING or, as some tools send it, bare.
// CKR_ATTRIBUTE_VALUE_INVALID when it is neither; whether it is on the curve is not looked at.
Outcome<core::ByteView> ec_point_in(const EcCurve& curve, core::ByteView value);

Outcome<SharedPkey> ec_public_key(const core::Crypto& crypto, const EcCurve& curve,
                                  core::ByteView point);
Outcome<SharedPkey> ec_private_key(const core::Crypto& crypto, const EcCurve& curve,
                                   core::ByteView scalar);
Outcome<SharedPkey> generate_ec_key(const core::Crypto& crypto, const EcCurve& curve);

// Drafts of the two halves of a key: class, type, parameters, point, CKA_PUBLIC_KEY_INFO.
Outcome<Draft> ec_public_draft(const SharedPkey& key);
Outcome<Draft> ec_private_draft(const SharedPkey& key);
Outcome<ProducedPair> ec_pair_drafts(const SharedPkey& key);

// For C_CreateObject: everything checked, point on the curve, scalar in range (A24).
Outcome<Draft> import_ec_public(const core::Crypto& crypto, const Template& wanted);
Outcome<Draft> import_ec_private(const core::Crypto& crypto, const Template& wanted);
Outcome<SharedPkey> parse_ec_key(const core::Crypto& crypto, const AttributeSet& attributes,
                                 core::ByteView value);

}  // namespace tallystick::token
