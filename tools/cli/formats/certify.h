// The chip maker's small CA: certificates for device keys.
#pragma once

#include "core/certificate/device_certificate.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/pkcs11/ec_keys.h"

namespace tallystick::cli {

constexpr const char* kIssuerName = "Tallystick ICM";

// A certificate in DER, without an end to its life.
Outcome<core::Bytes> certify_device(const core::Crypto& crypto, SigningKey& icm_key,
                                    const DeviceIdentity& device, const std::string& issuer);

}  // namespace tallystick::cli
