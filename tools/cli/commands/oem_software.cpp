// `oem install-software`: only software of the chip maker whose fingerprint came by another way.
#include "core/certificate/device_certificate.h"
#include "core/ts1/software.h"
#include "tools/cli/commands/oem_commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/formats/software_file.h"
#include "tools/cli/pkcs11/token_client.h"
#include "tools/cli/pkcs11/tokens.h"

namespace tallystick::cli {
namespace {

struct InstallOptions {
  std::string image;
  std::string fingerprint;
  std::string token;
};

Done install_software(Environment& env, const InstallOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto expected = parse_fingerprint(options.fingerprint);
  if (!expected) return expected.error();
  const auto image = read_software_file(options.image);
  if (!image) return image.error();
  auto session = open_token(env, options.token, kWritable);
  if (!session) return std::move(session).error();
  TokenClient token(**crypto, *std::move(session));
  auto families = token.families();
  if (!families) return std::move(families).error();
  for (const FamilyInfo& family : *families) {
    const auto software = core::verify_software_signature(**crypto, *image, family.icm_public_key);
    if (!software || software->header.family_id != family.id) continue;
    const auto fingerprint = core::key_id(**crypto, family.icm_public_key);
    if (!fingerprint) return from_core("fingerprint", fingerprint.error());
    if (!core::equal_in_constant_time(*fingerprint, *expected)) {
      return refused(options.image, "the family's ICM key has another fingerprint",
                     "ask the chip maker, by another way, which one is right");
    }
    if (auto done = token.install_software(*image); !done) return done;
    env.out.say("Provisioning software \"" + software->header.name + "\", version " +
                std::to_string(software->header.version) + ", runs in the token.");
    return {};
  }
  return refused(options.image, "no family in the token has a key that verifies it");
}

}  // namespace

void add_oem_software_command(Command group, Environment& env) {
  add_command<InstallOptions>(
      group, env, "install-software", "Verify provisioning software and install it in the token",
      install_software, [](Command command, InstallOptions& options) {
        command.add_option("image", options.image, "The image, .tssw").required();
        command
            .add_option("--fingerprint", options.fingerprint,
                        "The ICM's fingerprint, which came by another way than the image")
            .required();
        add_token_option(command, options.token);
      });
}

}  // namespace tallystick::cli
