// `software verify`: anyone with the chip maker's public key can verify provisioning software
// (claim 11).
#include "tools/cli/commands/software_verify.h"

#include <nlohmann/json.hpp>

#include "core/certificate/device_certificate.h"
#include "core/ts1/software.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/formats/software_document.h"
#include "tools/cli/formats/software_file.h"

namespace tallystick::cli {
namespace {

struct SoftwareCheckOptions {
  std::string image;
  std::string key;
  std::string fingerprint;
};

Done verify_software(Environment& env, const SoftwareCheckOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto key = load_p384_public_key(env, options.key);
  if (!key) return std::move(key).error();
  const auto fingerprint = core::key_id(**crypto, *key);
  if (!fingerprint) return from_core("fingerprint", fingerprint.error());
  if (!options.fingerprint.empty()) {
    const auto expected = parse_fingerprint(options.fingerprint);
    if (!expected) return expected.error();
    if (!core::equal_in_constant_time(*expected, *fingerprint)) {
      return refused(options.key, "the key has another fingerprint");
    }
  }
  const auto image = read_software_file(options.image);
  if (!image) return image.error();
  const auto software = core::verify_software_signature(**crypto, *image, *key);
  if (!software) return from_core(options.image, software.error());
  env.out.data(software_document(*software));
  env.out.say("The signature of the key " + core::to_hex(*fingerprint) + " holds.");
  return {};
}

}  // namespace

void add_software_commands(Command app, Environment& env) {
  Command group = app.add("software", "Provisioning software");
  add_command<SoftwareCheckOptions>(
      group, env, "verify", "Verify provisioning software with the chip maker's public key",
      verify_software, [](Command command, SoftwareCheckOptions& options) {
        command.add_option("image", options.image, "The image, .tssw").required();
        command
            .add_option("--icm-key,--icm-certificate", options.key,
                        "The ICM's certificate or public key: file or pkcs11: URI")
            .required();
        command.add_option("--fingerprint", options.fingerprint,
                           "What the key's fingerprint has to be");
      });
}

}  // namespace tallystick::cli
