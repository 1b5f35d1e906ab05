// Ordinary keys and their templates, as many tests need them.
#pragma once

#include "core/crypto/ec.h"
#include "tests/pkcs11/support/session.h"

namespace tallystick::test {

core::Bytes bytes(std::string_view text);
// Whether `part` stands anywhere in `whole`.
bool holds(core::ByteView whole, core::ByteView part);
// DER of the curve's object identifier.
core::Bytes ec_params(core::Curve curve);
// X ‖ Y as CKA_EC_POINT has it: an OCTET STRING of the uncompressed point.
core::Bytes ec_point(core::ByteView xy);
// X ‖ Y of a public key object.
core::Bytes public_xy(const Session& session, CK_OBJECT_HANDLE key);

// CKO_SECRET_KEY with a type and a value; nothing else.
Attributes secret_key(CK_KEY_TYPE type, core::ByteView value);
Attributes aes_template(CK_ULONG length);
Attributes wraps();  // and unwraps
Attributes extractable();
// A public key object for import.
Attributes ec_public_key(core::Curve curve, core::ByteView xy);
Attributes ec_private_key(core::Curve curve, core::ByteView scalar);

CK_OBJECT_HANDLE generate_aes(Session& session, const Attributes& more = {}, CK_ULONG length = 32);
KeyPair generate_ec(Session& session, core::Curve curve = core::Curve::kP256,
                    const Attributes& more_public = {}, const Attributes& more_private = {});
CK_OBJECT_HANDLE data_object(Session& session, std::string_view label, bool on_token,
                             bool is_private);

}  // namespace tallystick::test
