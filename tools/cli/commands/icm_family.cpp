// `icm family create` and `icm family import`: a part family is born in the chip maker's token.
#include <nlohmann/json.hpp>

#include "core/certificate/device_certificate.h"
#include "core/ts1/family.h"
#include "tools/cli/commands/icm_commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/family_file.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/pkcs11/token_client.h"
#include "tools/cli/pkcs11/tokens.h"

namespace tallystick::cli {
namespace {

void tell(Environment& env, const core::Crypto& crypto, const FamilyInfo& family) {
  const auto fingerprint = core::key_id(crypto, family.icm_public_key);
  env.out.data(
      nlohmann::ordered_json{{"family_id", uuid_text(family.id)},
                             {"flags", family_flags_name(family.flags)},
                             {"role", role_name(static_cast<unsigned>(family.role))},
                             {"icm_fingerprint", fingerprint ? core::to_hex(*fingerprint) : ""}});
}

struct CreateOptions {
  std::string token;
  std::string icm_key;
  std::string family_id = "auto";
  std::string flags = "none";
  unsigned further_shares = 0;
};

// A random UUID (RFC 4122, version 4).
Outcome<core::FamilyId> random_uuid(const core::Crypto& crypto) {
  core::FamilyId id{};
  if (auto done = crypto.random(id); !done) return from_core("family_id", done.error());
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0FU) | 0x40U);
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3FU) | 0x80U);
  return id;
}

Outcome<core::FamilyId> id_from(const core::Crypto& crypto, const std::string& text) {
  if (text == "auto") return random_uuid(crypto);
  const auto id = uuid_from(text);
  if (!id) return usage_failure("--family-id " + text, "neither \"auto\" nor a UUID");
  return *id;
}

Done create_family(Environment& env, const CreateOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto flags = family_flags_named(options.flags);
  if (!flags) return usage_failure("--flags " + options.flags, "not none, uniform or counted");
  const auto id = id_from(**crypto, options.family_id);
  if (!id) return id.error();
  auto icm_key = load_p384_public_key(env, options.icm_key);
  if (!icm_key) return std::move(icm_key).error();
  auto session = open_token(env, options.token, kWritable);
  if (!session) return std::move(session).error();
  TokenClient token(**crypto, *std::move(session));
  auto family = token.generate_family(*id, *flags,
                                      static_cast<std::uint8_t>(options.further_shares), *icm_key);
  if (!family) return std::move(family).error();
  tell(env, **crypto, *family);
  return {};
}

struct ImportOptions {
  std::string file;
  std::string token;
  std::string icm_key;
};

Done import_family(Environment& env, const ImportOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto icm_key = load_p384_public_key(env, options.icm_key);
  if (!icm_key) return std::move(icm_key).error();
  auto family = read_family_file(options.file, *icm_key);
  if (!family) return std::move(family).error();
  auto session = open_token(env, options.token, kWritable);
  if (!session) return std::move(session).error();
  TokenClient token(**crypto, *std::move(session));
  const core::Secret value = core::encode_family_import(*family);
  auto imported = token.import_family(value.view());
  if (!imported) return std::move(imported).error();
  tell(env, **crypto, *imported);
  return {};
}

}  // namespace

void add_icm_family_commands(Command group, Environment& env) {
  Command family = group.add("family", "Make or import a part family");
  add_command<CreateOptions>(
      family, env, "create", "Make a family; its secrets are made in the token and stay there",
      create_family, [](Command command, CreateOptions& options) {
        add_token_option(command, options.token);
        command
            .add_option("--icm-key", options.icm_key,
                        "The chip maker's public key: pkcs11: URI or file")
            .required();
        command.add_option("--family-id", options.family_id, "auto or a UUID").show_default();
        command.add_option("--flags", options.flags, "none, uniform or counted").show_default();
        command
            .add_option("--further-shares", options.further_shares,
                        "Shares beside HW_SHARE and ROM_SHARE")
            .between(0, 6)
            .show_default();
      });
  add_command<ImportOptions>(
      family, env, "import",
      "Import a family from a JSON file of hex values: family_id, flags, shares, k_oem_share,\n"
      "k_oem_master_share. The file holds the family's secrets in clear: remove it afterwards.",
      import_family, [](Command command, ImportOptions& options) {
        command.add_option("file", options.file, "The JSON file").required();
        add_token_option(command, options.token);
        command
            .add_option("--icm-key", options.icm_key,
                        "The chip maker's public key: pkcs11: URI or file")
            .required();
      });
}

}  // namespace tallystick::cli
