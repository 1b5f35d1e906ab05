// Packages as an OEM makes them with core, and as somebody makes them who has the keys but keeps to
// no rule.
#pragma once

#include "core/ts1/package.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {

struct Asset {
  PackageEntry entry;
  Bytes data;
};

// An entry with the fields that matter to most tests.
Asset asset(std::uint16_t id, AssetKind kind, Bytes data, std::string name = "",
            std::uint8_t flags = 0, std::uint64_t address = 0);
// Firmware of five chunks, a configuration, an AES key and a private key.
std::vector<Asset> four_assets();

// The package, made with ProvisioningSoftware and PackageBuilder.
Bytes make_package(const World& world, const OemShare& share, const std::vector<Asset>& assets,
                   Suite suite = Suite::kGcm, std::uint32_t version = 1,
                   const std::string& product = "");

// Signs and tags a head that may be anything: header ‖ entries become a whole head again.
Bytes signed_and_tagged(const World& world, const OemShare& share, Suite suite,
                        ByteView header_and_entries);
// Applies `change` to the header and entries of a package and signs and tags the outcome.
Bytes changed_by_oem(const World& world, const OemShare& share, Suite suite, ByteView package,
                     const std::function<void(Bytes&)>& change);

// K_AUTH of a share set, for those who hold it.
AssetKey auth_key(const World& world, const OemShare& share, Suite suite);

}  // namespace tallystick::core::testing
