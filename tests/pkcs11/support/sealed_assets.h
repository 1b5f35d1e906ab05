// The one asset of a package, as tests seal and open it.
#pragma once

#include "core/ts1/package.h"

namespace tallystick::test {

core::PackageEntry entry_of(core::AssetKind kind, std::size_t length, std::uint8_t flags = 0);
// What CKM_TS_SEAL and CKM_TS_OPEN take for it.
core::Bytes context_for(const core::Context& context, core::Suite suite, core::PackageEntry entry);

}  // namespace tallystick::test
