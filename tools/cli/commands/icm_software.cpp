// `icm sign-software`: a readable list of permissions becomes a signed image.
#include <nlohmann/json.hpp>

#include "tools/cli/commands/icm_commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/permission_list.h"
#include "tools/cli/pkcs11/ec_keys.h"

namespace tallystick::cli {
namespace {

struct SignOptions {
  std::string list;
  std::string key;
  std::string family;
  std::string output;
};

Done sign_software(Environment& env, const SignOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto family = parse_family(options.family);
  if (!family) return family.error();
  auto list = read_permission_list(options.list, *family);
  if (!list) return std::move(list).error();
  const auto payload = core::Permissions::encode(list->records);
  if (!payload) return from_core(options.list, payload.error());
  const auto header = core::software_header(**crypto, list->header, *payload);
  if (!header) return from_core(options.list, header.error());
  auto key = SigningKey::open(env, options.key);
  if (!key) return std::move(key).error();
  const auto signature = key->sign("software image", *header);
  if (!signature) return signature.error();
  const auto image = core::assemble_software(*header, *signature, *payload);
  if (!image) return from_core(options.list, image.error());
  // What leaves this desk is what a device will accept.
  const auto checked = core::verify_software_signature(**crypto, *image, key->public_xy());
  if (!checked) return from_core(options.list, checked.error());
  if (auto done = write_file(options.output, *image); !done) return done;
  env.out.say("Provisioning software \"" + list->header.name + "\", version " +
              std::to_string(list->header.version) + ", is signed: " + options.output);
  return {};
}

}  // namespace

void add_icm_software_command(Command group, Environment& env) {
  add_command<SignOptions>(
      group, env, "sign-software", "Sign provisioning software from a list of permissions (TOML)",
      sign_software, [](Command command, SignOptions& options) {
        command.add_option("list", options.list, "The list: name, version, roles, [permit]")
            .required();
        add_icm_key_option(command, options.key).required();
        command.add_option("--family", options.family,
                           "UUID of the family, where the list names none");
        add_output_option(command, options.output).required();
      });
}

}  // namespace tallystick::cli
