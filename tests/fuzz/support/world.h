// World: a chip maker, an OEM, a token and a part whose keys never change, so that the files of the
// corpus stay good from run to run. Whoever has the keys can also sign and tag what a fuzzer has
// altered: that is how the checks behind a signature are reached.
#pragma once

#include "core/provisioning/provisioning_software.h"
#include "tests/support/world.h"

namespace tallystick::fuzz {

struct World {
  World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  test::CryptoPtr crypto_ptr;
  const core::Crypto& crypto;
  core::EcPrivateKey icm;    // P-384
  core::EcPrivateKey oem;    // P-384
  core::EcPrivateKey token;  // P-256
  core::EcPrivateKey part;   // P-256
  core::DeviceId token_id;
  core::DeviceId part_id;
  core::ByteArray<32> fingerprint;
  core::Family icm_family;
  core::Family oem_family;
  core::Family part_family;
  core::Software software;  // version 3, everything permitted
  core::ProvisioningSoftware oem_device;
  core::ProvisioningSoftware part_device;
  core::OemShare share;
  core::Secret k_auth;  // suite 1

  // Role 3, for the part.
  [[nodiscard]] core::Bytes device_blob() const;
  // Of the software above.
  [[nodiscard]] core::Bytes software_image() const;
  [[nodiscard]] core::Bytes certificate(core::DeviceKind kind, core::ByteView xy) const;
  [[nodiscard]] core::Bytes icm_certificate() const;
  // Signed, for any device key.
  [[nodiscard]] core::Bytes family_blob(core::FamilyRole role, core::ByteView xy) const;
  // The OEM's key over header ‖ entries ‖ key, K_AUTH over all of it; `head` has a whole head's
  // size.
  void sign_and_tag(core::MutableByteView head) const;
};

// One for the process.
const World& world();

}  // namespace tallystick::fuzz
