// Identity: the keys that a part's PUF gives at each power-on and that are stored nowhere.
//
//   device key:  d = (V mod (q − 1)) + 1 with V = HKDF-Expand-SHA-256(key, "TSPUF/DEVICE-KEY", 48)
//                (FIPS 186-5, A.2.1)
//   storage key: HKDF-Expand-SHA-256(key, "TSPUF/STORAGE", 32), under which the part's state lies
#pragma once

#include <memory>

#include "core/crypto/ec.h"
#include "devicesim/puf/sram.h"

namespace tallystick::device::puf {

struct Identity {
  core::Bytes helper;  // public
  std::shared_ptr<const core::EcPrivateKey> device_key;
  core::Secret storage_key;
};

// The first power-on, from its start-up values; the errors of enrol().
core::Result<Identity> new_identity(const core::Crypto& crypto, core::ByteView start_up);
// Each one after it; the errors of regenerate().
core::Result<Identity> same_identity(const core::Crypto& crypto, core::ByteView helper,
                                     core::ByteView start_up);

}  // namespace tallystick::device::puf
