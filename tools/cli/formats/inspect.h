// What a file is and says, for people and scripts; nothing secret.
#pragma once

#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "core/ts1/package.h"
#include "core/ts1/proof.h"
#include "core/ts1/share_blob.h"
#include "devicesim/part.h"
#include "tools/cli/environment.h"

namespace tallystick::cli {

nlohmann::ordered_json context_document(const core::Context& context);
nlohmann::ordered_json package_document(const core::PackageHead& head);
nlohmann::ordered_json proof_document(const core::Proof& proof);
nlohmann::ordered_json part_document(const device::PartInfo& info,
                                     const std::optional<core::Error>& boot_error);

// The head of a package file: form checked.
Outcome<core::PackageHead> read_package_head(const std::string& path);

// Any file of the profile.
Outcome<nlohmann::ordered_json> inspect_file(Environment& env, const std::string& path);

}  // namespace tallystick::cli
