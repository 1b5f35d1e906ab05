#include "tools/cli/formats/family_file.h"

#include <algorithm>
#include <array>

#include "tools/cli/file_io.h"
#include "tools/cli/formats/json_file.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/text.h"

namespace tallystick::cli {
namespace {

// The values pass through the JSON library's own strings; what is ours is wiped here.
struct Document {
  nlohmann::json value;
  explicit Document(nlohmann::json parsed) : value(std::move(parsed)) {}
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  ~Document() { wipe_texts(value); }
  static void wipe_texts(nlohmann::json& node) {
    if (node.is_structured()) {
      for (auto& child : node) wipe_texts(child);
    } else if (node.is_string()) {
      auto& text = node.get_ref<std::string&>();
      core::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    }
  }
};

std::optional<core::Secret> secret_member(const nlohmann::json& value) {
  if (!value.is_string()) return std::nullopt;
  auto secret = secret_from_hex(value.get_ref<const std::string&>());
  if (!secret || secret->size() != core::kSecretSize) return std::nullopt;
  return secret;
}

std::optional<std::uint8_t> flags_member(const nlohmann::json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (const auto named = family_flags_named(text)) return named;
    const auto bytes = from_hex(text);
    if (bytes && bytes->size() == 1) return bytes->front();
    return std::nullopt;
  }
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 2) return std::nullopt;
  return static_cast<std::uint8_t>(value.get<std::uint64_t>());
}

}  // namespace

Outcome<core::Family> parse_family_file(const std::string& name, core::ByteView text,
                                        core::ByteView icm_public_key) {
  constexpr std::array<std::string_view, 5> kMembers = {"family_id", "flags", "shares",
                                                        "k_oem_share", "k_oem_master_share"};
  Document document(parse_json(text));
  nlohmann::json& json = document.value;
  if (!json.is_object()) return file_failure(name, "not a JSON object");
  for (const auto& [key, value] : json.items()) {
    if (std::find(kMembers.begin(), kMembers.end(), key) == kMembers.end()) {
      return file_failure(name, "\"" + key + "\" is not known here");
    }
  }
  for (const std::string_view key : kMembers) {
    if (!json.contains(key)) return file_failure(name, "\"" + std::string(key) + "\" is missing");
  }
  core::Family family;
  family.role = core::FamilyRole::kIcm;
  const auto id = json["family_id"].is_string()
                      ? uuid_from(json["family_id"].get_ref<const std::string&>())
                      : std::nullopt;
  if (!id) return file_failure(name, "family_id is not a UUID");
  family.id = *id;
  const auto flags = flags_member(json["flags"]);
  if (!flags) return file_failure(name, "flags is not 0, 1 or 2");
  family.flags = *flags;
  const auto& shares = json["shares"];
  if (!shares.is_array() || shares.size() < core::kLeastShares ||
      shares.size() > core::kMostShares) {
    return file_failure(name, "shares is not a list of 2 to 8");
  }
  for (const auto& value : shares) {
    auto share = secret_member(value);
    if (!share) return file_failure(name, "a share is not 32 bytes in hex");
    family.shares.push_back(*std::move(share));
  }
  auto share_key = secret_member(json["k_oem_share"]);
  if (!share_key) return file_failure(name, "k_oem_share is not 32 bytes in hex");
  family.k_oem_share = *std::move(share_key);
  family.k_oem_master_share = secret_member(json["k_oem_master_share"]);
  if (!family.k_oem_master_share) {
    return file_failure(name, "k_oem_master_share is not 32 bytes in hex");
  }
  family.icm_public_key = core::array_of<core::kIcmKeySize>(icm_public_key);
  return family;
}

Outcome<core::Family> read_family_file(const std::string& path, core::ByteView icm_public_key) {
  auto text = read_secret_file(path);
  if (!text) return std::move(text).error();
  return parse_family_file(path, text->view(), icm_public_key);
}

}  // namespace tallystick::cli
