// Keys on the curves of RFC 7748 and RFC 8032: Ed25519 and Ed448 (CKK_EC_EDWARDS), X25519 and X448
// (CKK_EC_MONTGOMERY). Public and private values are raw little-endian bytes of one length a curve.
#pragma once

#include <array>

#include "core/crypto/crypto.h"
#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

struct EcxCurve {
  CK_KEY_TYPE key_type;
  int nid;
  core::KeyAlgorithm algorithm;
  std::string_view name;       // PKCS#11's name of the curve
  std::size_t size;            // bytes of a public or private value
  std::size_t signature_size;  // 0 where it does not sign
  unsigned strength;           // bits
  core::ByteView oid;          // DER (RFC 8410), the value of CKA_EC_PARAMS
  // Other encodings that tools send; empty where there are none.
  std::array<core::ByteView, 2> also;
};

// By object identifier or by curve name in a PrintableString; the key keeps the identifier of RFC
// 8410. CKR_CURVE_NOT_SUPPORTED for a curve that is not one of the key type's.
Outcome<const EcxCurve*> find_ecx_curve(CK_KEY_TYPE key_type, core::ByteView ec_params);

// Whether both name one of the curves here.
bool same_ecx_curve(core::ByteView ec_params, core::ByteView other);

// The public value in CKA_EC_POINT, or of a peer: raw (PKCS#11 3.1), or in a DER OCTET STRING or
// BIT STRING, as older versions were understood. CKR_ATTRIBUTE_VALUE_INVALID when it is neither.
Outcome<core::ByteView> ecx_point(const EcxCurve& curve, core::ByteView value);

Outcome<SharedPkey> ecx_public_key(const core::Crypto& crypto, const EcxCurve& curve,
                                   core::ByteView point);
Outcome<SharedPkey> generate_ecx_key(const core::Crypto& crypto, const EcxCurve& curve);

// Drafts of the halves of a key: class, type, parameters, point, CKA_PUBLIC_KEY_INFO.
// CKR_KEY_TYPE_INCONSISTENT when the key is not on a curve of that type.
Outcome<Draft> ecx_private_draft(CK_KEY_TYPE key_type, const SharedPkey& key);
Outcome<ProducedPair> ecx_pair_drafts(CK_KEY_TYPE key_type, const SharedPkey& key);

// For C_CreateObject.
Outcome<Draft> import_ecx_public(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                 const Template& wanted);
Outcome<Draft> import_ecx_private(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                  const Template& wanted);
Outcome<SharedPkey> parse_ecx_key(const core::Crypto& crypto, const AttributeSet& attributes,
                                  core::ByteView value);

}  // namespace tallystick::token
