#include "tools/cli/formats/software_document.h"

#include <nlohmann/json.hpp>

#include "tools/cli/formats/names.h"
#include "tools/cli/text.h"

namespace tallystick::cli {

nlohmann::ordered_json software_document(const core::Software& software) {
  nlohmann::ordered_json roles = nlohmann::ordered_json::array();
  for (unsigned role = 2; role <= 4; ++role) {
    if ((software.header.role_mask >> role & 1U) != 0) roles.push_back(role_name(role));
  }
  nlohmann::ordered_json permissions = nlohmann::ordered_json::array();
  for (const auto& record : software.permissions.records()) {
    permissions.push_back(operation_text(record));
  }
  return {{"name", software.header.name},
          {"version", software.header.version},
          {"family_id", uuid_text(software.header.family_id)},
          {"roles", std::move(roles)},
          {"permissions", std::move(permissions)}};
}

}  // namespace tallystick::cli
