// A key's URI in the place of the key: PEM under the label that pkcs11-provider has made usual,
// which any command takes where it wants a key file. It holds no secret, and no PIN.
//
//   SEQUENCE { VisibleString "PKCS#11 Provider URI v1.0", UTF8String uri }
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "provider/failure.h"

namespace tallystick::provider {

inline constexpr const char* kUriPemLabel = "PKCS#11 PROVIDER URI";
// What the decoders call the bytes inside.
inline constexpr const char* kUriStructure = "pk11-uri";

Outcome<core::Bytes> uri_to_der(const std::string& uri);
Outcome<std::string> uri_from_der(core::ByteView der);

}  // namespace tallystick::provider
