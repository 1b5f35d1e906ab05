// The few DER structures around public keys, written by libcrypto. What comes in is compared with
// what would have been written, so that only one encoding of a value is taken.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "pkcs11/engine/fault.h"

namespace tallystick::token {

// Empty when libcrypto has no memory.
core::Bytes octet_string(core::ByteView bytes);
core::Bytes bit_string(core::ByteView bytes);
core::Bytes printable_string(std::string_view text);

// SubjectPublicKeyInfo of an algorithm, with a curve as its parameter where there is one. The same
// as i2d_PUBKEY gives, which looks up an encoder each time, and has none for good in a library
// context where there was no memory for them when it first asked.
Outcome<core::Bytes> public_key_info(int algorithm_nid, std::optional<int> curve_nid,
                                     core::ByteView key);
// The same for an algorithm without a parameter, by dotted identifier: of newer algorithms
// libcrypto may not know the number.
Outcome<core::Bytes> public_key_info(const char* identifier, core::ByteView key);
// RFC 8017, A.1; both numbers big-endian.
Outcome<core::Bytes> rsa_public_key_info(core::ByteView modulus, core::ByteView exponent);

// The DER of the object identifier that libcrypto's number stands for.
core::Bytes object_identifier(int nid);

}  // namespace tallystick::token
