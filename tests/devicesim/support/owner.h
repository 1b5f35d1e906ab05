// What the owner of a part signs beside packages: applications and debug tokens.
#pragma once

#include "core/ts1/application.h"
#include "core/ts1/debug_access.h"
#include "tests/support/oem_desk.h"

namespace tallystick::test {

struct PlannedApplication {
  std::uint32_t version = 1;
  std::uint32_t floor = 0;
  std::size_t size = 5000;  // of the payload
  std::string name = "application";
};

// A signed image, the payload a pattern of its version.
core::Bytes application_image(const core::Crypto& crypto, const core::EcPrivateKey& owner,
                              const PlannedApplication& plan);

// A package with applications in slots 1 and 2, at 0x0000 and 0x8000, a configuration and one key.
PackagePlan application_plan(std::vector<core::Bytes> images, std::uint32_t package_version = 1);

core::Bytes debug_token(const core::Crypto& crypto, const core::EcPrivateKey& owner,
                        const core::DebugChallenge& challenge);

}  // namespace tallystick::test
