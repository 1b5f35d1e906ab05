// The names that people write for the numbers of the profile, and back. One table for each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ts1/family.h"
#include "core/ts1/package.h"
#include "core/ts1/software.h"

namespace tallystick::cli {

std::optional<core::Suite> suite_named(std::string_view name);  // "gcm", "ccm", "1", "2"
std::string suite_name(core::Suite suite);

std::optional<core::AssetKind> kind_named(std::string_view name);
std::string kind_name(core::AssetKind kind);
std::vector<std::string> flag_names(std::uint8_t flags);
// "sign", "decrypt", "derive", "unwrap".
std::optional<std::uint8_t> use_named(std::string_view name);

std::optional<core::FamilyRole> role_named(std::string_view name);
std::string role_name(unsigned role);  // family roles, and the holder roles 5 and 6
std::string family_flags_name(std::uint64_t flags);
std::optional<std::uint8_t> family_flags_named(std::string_view name);

std::string blob_role_name(core::BlobRole role);
std::string life_cycle_text(unsigned life_cycle);
std::string operation_text(const core::PermissionRecord& record);

// A list of the names a function above takes, for messages.
std::string kinds_known();

}  // namespace tallystick::cli
