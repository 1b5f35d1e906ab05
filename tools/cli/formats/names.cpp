#include "tools/cli/formats/names.h"

#include <array>
#include <utility>

namespace tallystick::cli {
namespace {

template <typename Value, std::size_t N>
using Names = std::array<std::pair<std::string_view, Value>, N>;

template <typename Value, std::size_t N>
std::optional<Value> value_named(const Names<Value, N>& names, std::string_view name) {
  for (const auto& [known, value] : names) {
    if (known == name) return value;
  }
  return std::nullopt;
}

template <typename Value, std::size_t N>
std::string name_for(const Names<Value, N>& names, Value wanted) {
  for (const auto& [known, value] : names) {
    if (value == wanted) return std::string(known);
  }
  return "unknown";
}

using core::AssetKind;
using core::FamilyRole;
using core::Suite;

// The first name of a value is the one that is shown.
constexpr Names<Suite, 4> kSuites = {
    {{"gcm", Suite::kGcm}, {"1", Suite::kGcm}, {"ccm", Suite::kCcm}, {"2", Suite::kCcm}}};
constexpr Names<AssetKind, 8> kKinds = {{{"firmware", AssetKind::kData},
                                         {"data", AssetKind::kData},
                                         {"configuration", AssetKind::kConfiguration},
                                         {"certificate", AssetKind::kCertificate},
                                         {"key", AssetKind::kSecretKey},
                                         {"secret", AssetKind::kSecretKey},
                                         {"private-key", AssetKind::kPrivateKey},
                                         {"further", AssetKind::kFurther}}};
constexpr Names<std::uint8_t, 4> kUses = {{{"sign", core::kAssetSign},
                                           {"decrypt", core::kAssetDecrypt},
                                           {"derive", core::kAssetDerive},
                                           {"unwrap", core::kAssetUnwrap}}};
constexpr Names<FamilyRole, 4> kRoles = {{{"icm", FamilyRole::kIcm},
                                          {"provisioning", FamilyRole::kProvisioning},
                                          {"station", FamilyRole::kStation},
                                          {"part", FamilyRole::kPart}}};
constexpr Names<std::uint8_t, 3> kFamilyFlags = {
    {{"none", 0}, {"uniform", core::kFamilyUniform}, {"counted", core::kFamilyCounted}}};
constexpr std::array<std::string_view, 4> kLifeCycles = {"blank", "provisioning", "provisioned",
                                                         "locked"};
constexpr std::array<std::string_view, 13> kOperations = {
    "",      "make-shares", "regenerate",    "give-blobs", "take-blobs",
    "seal",  "open",        "further-types", "generate",   "install",
    "prove", "life-cycle",  "nxp-commands"};

// "1+2" for the bits of a mask.
std::string mask_text(std::uint32_t mask, std::string (*name)(unsigned)) {
  std::string out;
  for (unsigned bit = 0; bit < 32; ++bit) {
    if ((mask >> bit & 1U) == 0) continue;
    if (!out.empty()) out += ", ";
    out += name(bit);
  }
  return out;
}

std::string blob_role_text(unsigned bit) { return std::to_string(bit); }
std::string suite_text(unsigned bit) {
  return bit == 1 || bit == 2 ? suite_name(static_cast<Suite>(bit)) : std::to_string(bit);
}
std::string type_text(unsigned bit) {
  if (bit >= core::kGeneratedTypes) return std::to_string(bit);
  return std::string(core::generated_type_name(static_cast<core::GeneratedType>(bit + 1)));
}

}  // namespace

std::optional<Suite> suite_named(std::string_view name) { return value_named(kSuites, name); }
std::string suite_name(Suite suite) { return name_for(kSuites, suite); }

std::optional<AssetKind> kind_named(std::string_view name) { return value_named(kKinds, name); }
std::string kind_name(AssetKind kind) { return name_for(kKinds, kind); }

std::string kinds_known() {
  std::string out;
  for (const auto& [name, kind] : kKinds) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

std::vector<std::string> flag_names(std::uint8_t flags) {
  std::vector<std::string> names;
  if ((flags & core::kAssetGenerated) != 0) names.emplace_back("generated");
  if ((flags & core::kAssetWriteOnly) != 0) names.emplace_back("write-only");
  for (const auto& [name, bit] : kUses) {
    if ((flags & bit) != 0) names.emplace_back(name);
  }
  return names;
}

std::optional<std::uint8_t> use_named(std::string_view name) { return value_named(kUses, name); }

std::optional<FamilyRole> role_named(std::string_view name) { return value_named(kRoles, name); }

std::string role_name(unsigned role) {
  if (role == 5) return "OEM";
  if (role == 6) return "target";
  if (role == 0 || role > 4) return "unknown";
  return name_for(kRoles, static_cast<FamilyRole>(role));
}

std::string family_flags_name(std::uint64_t flags) {
  return flags > 2 ? "unknown" : name_for(kFamilyFlags, static_cast<std::uint8_t>(flags));
}

std::optional<std::uint8_t> family_flags_named(std::string_view name) {
  return value_named(kFamilyFlags, name);
}

std::string blob_role_name(core::BlobRole role) {
  switch (role) {
    case core::BlobRole::kShare:
      return "shares for every part of the family (role 1)";
    case core::BlobRole::kMaster:
      return "shares for regeneration (role 2)";
    case core::BlobRole::kDevice:
      return "shares for one device (role 3)";
  }
  return "unknown";
}

std::string life_cycle_text(unsigned life_cycle) {
  return life_cycle < kLifeCycles.size() ? std::string(kLifeCycles[life_cycle]) : "damaged";
}

std::string operation_text(const core::PermissionRecord& record) {
  if (record.operation == 0 || record.operation >= kOperations.size()) return "unknown";
  std::string text(kOperations[record.operation]);
  switch (static_cast<core::Operation>(record.operation)) {
    case core::Operation::kGiveBlobs:
    case core::Operation::kTakeBlobs:
      return text + ": roles " + mask_text(record.argument, blob_role_text);
    case core::Operation::kSealAssets:
    case core::Operation::kOpenAssets:
      return text + ": " + mask_text(record.argument, suite_text);
    case core::Operation::kGenerate:
      return text + ": " + mask_text(record.argument, type_text);
    case core::Operation::kMoveLifeCycle:
      return text + ": " + life_cycle_text(record.argument >> 8U) + " to " +
             life_cycle_text(record.argument & 0xFFU);
    default:
      return text;
  }
}

}  // namespace tallystick::cli
