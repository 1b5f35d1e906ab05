// Certificates of devices: X.509 v3, issued directly under K_PRK_ICM_PROV (P-384,
// ecdsa-with-SHA384) for a P-256 device key. Subject: OU = "part" or "token", serialNumber = the
// device id in lower-case hex (section 1 of docs/formats.md). And the ICM's own self-signed
// certificate, so that X.509 tools can build the chain.
//
// The ICM's key may be in any HSM: a certificate is built here, signed elsewhere, and put together
// here again.
#pragma once

#include <string>

#include "core/ts1/family.h"

namespace tallystick::core {

enum class DeviceKind : std::uint8_t { kPart, kToken };

struct DeviceCertificate {
  DeviceKind kind{};
  DeviceId id{};
  EcPublicKey key;
};

constexpr std::size_t kMostCertificateBytes = 4096;

// Strict DER, the profile's form, no right to certify, and the signature under `icm_public_key`
// (X ‖ Y). kMalformed for form, kBadSignature for the signature, kInconsistent when subject and key
// disagree. Validity dates are for the caller: parts have no clock.
Result<DeviceCertificate> verify_device_certificate(const Crypto& crypto, ByteView der,
                                                    ByteView icm_public_key);

// Where a certificate is made of one that ends before it begins, or after 9999: kInvalidArgument.
struct Validity {
  std::int64_t not_before = 0;  // Unix seconds
  std::int64_t not_after = 0;   // 0: 99991231235959Z, no expiry (IEEE 802.1AR)
};

// The TBSCertificate in DER, to be signed with ECDSA P-384 / SHA-384 by the ICM's key. The serial
// number is random (159 bits). `issuer_name` becomes the CN of the issuer.
Result<Bytes> device_certificate_to_sign(const Crypto& crypto, DeviceKind kind,
                                         ByteView device_public_key, ByteView icm_public_key,
                                         std::string_view issuer_name, Validity validity);
// The same for the ICM's self-signed certificate (CA true, path length 0, keyCertSign).
Result<Bytes> icm_certificate_to_sign(const Crypto& crypto, ByteView icm_public_key,
                                      std::string_view issuer_name, Validity validity);
// TBSCertificate and raw signature r ‖ s (96 bytes) as one certificate in DER.
Result<Bytes> assemble_certificate(ByteView to_be_signed, ByteView signature);

// X ‖ Y (96 bytes) of an ICM certificate, self-signed and checked.
Result<Bytes> icm_public_key_of(const Crypto& crypto, ByteView certificate_der);

// SHA-256(X ‖ Y) of a P-256 device key: its device id; of a P-384 key: oem_id or fingerprint.
Result<ByteArray<32>> key_id(const Crypto& crypto, ByteView xy);

}  // namespace tallystick::core
