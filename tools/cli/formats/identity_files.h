// Public keys and identities as they come from files and tokens.
#pragma once

#include "core/certificate/device_certificate.h"
#include "tools/cli/environment.h"

namespace tallystick::cli {

// X ‖ Y of a P-384 key: a pkcs11: URI, a certificate (DER or PEM, self-signed, checked), a public
// key (DER or PEM), 96 raw bytes, or JSON with "public_key" in hex.
Outcome<core::Bytes> load_p384_public_key(Environment& env, const std::string& where);
// The 32 bytes of a SHA-256 in hex.
Outcome<core::ByteArray<32>> parse_fingerprint(const std::string& text);

// A device and how it names itself: JSON from `token public-key`, a part's file, or the URI of a
// Tallystick token.
struct DeviceIdentity {
  core::DeviceKind kind{};
  core::DeviceId id{};
  core::Bytes xy;  // 64 bytes
};
Outcome<DeviceIdentity> load_device_identity(Environment& env, const std::string& where);

// A device certificate (DER or PEM), as DER.
Outcome<core::Bytes> load_certificate(const std::string& path);
// DER as PEM when `pem`, else as it is.
Outcome<core::Bytes> in_form(core::ByteView der, bool pem);

}  // namespace tallystick::cli
