// The readable list of permissions that the ICM writes, in TOML:
//
//   name = "standard"
//   version = 7
//   family_id = "…"                 # may come from the command line instead
//   roles = ["provisioning", "part"]
//   [permit]
//   make-shares = true              # operation 1
//   regenerate = true               # 2
//   give-blobs = [1, 2, 3]          # 3, roles of share blobs
//   take-blobs = [1, 2, 3]          # 4
//   seal = ["gcm", "ccm"]           # 5
//   open = ["gcm", "ccm"]           # 6
//   further-types = true            # 7
//   generate = ["aes128", "p256"]   # 8, or "all"
//   install = true                  # 9
//   prove = true                    # 10
//   life-cycle = ["blank to provisioning", "provisioning to locked"]   # 11
//   nxp-commands = true             # 12
#pragma once

#include "core/ts1/software.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

struct PermissionList {
  core::SoftwareHeader header;
  std::vector<core::PermissionRecord> records;
};

// `family` takes the place of the file's family_id, which may then be missing.
Outcome<PermissionList> read_permission_list(const std::string& path,
                                             const std::optional<core::FamilyId>& family);
Outcome<PermissionList> parse_permission_list(const std::string& name, std::string_view text,
                                              const std::optional<core::FamilyId>& family);

}  // namespace tallystick::cli
