// Options that several commands have, said in the same words everywhere.
#pragma once

#include <optional>
#include <string>

#include "core/ts1/family.h"
#include "tools/cli/commands/command_line.h"
#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tallystick::cli {

inline void add_token_option(Command command, std::string& token) {
  command.add_option("--token", token, "pkcs11: URI of the token (default: the only one)");
}
inline Option add_icm_key_option(Command command, std::string& key) {
  return command.add_option("--icm-key", key, "pkcs11: URI of the chip maker's signing key");
}
inline Option add_oem_key_option(Command command, std::string& key) {
  return command.add_option("--oem-key", key, "pkcs11: URI of the OEM's signing key");
}
inline Option add_output_option(Command command, std::string& output) {
  return command.add_option("-o,--output", output, "The file to write");
}
inline void add_family_option(Command command, std::string& family) {
  command.add_option("--family", family, "UUID of the family (default: the only one there)");
}

// Nothing for an empty text.
inline Outcome<std::optional<core::FamilyId>> parse_family(const std::string& text) {
  if (text.empty()) return std::optional<core::FamilyId>();
  const auto id = uuid_from(text);
  if (!id) return usage_failure("--family " + text, "not a UUID");
  return std::optional<core::FamilyId>(*id);
}

}  // namespace tallystick::cli
