// `icm key`, `icm fingerprint`, `icm certificate`: the key that everything of a family hangs on.
#include "core/certificate/device_certificate.h"
#include "tools/cli/commands/icm_commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/commands/signing_key_command.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/certify.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/pkcs11/ec_keys.h"

namespace tallystick::cli {
namespace {

struct FingerprintOptions {
  std::string key;
};

Done fingerprint(Environment& env, const FingerprintOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto key = load_p384_public_key(env, options.key);
  if (!key) return std::move(key).error();
  const auto id = core::key_id(**crypto, *key);
  if (!id) return from_core("fingerprint", id.error());
  env.out.value("fingerprint", core::to_hex(*id));
  return {};
}

struct CertificateOptions {
  std::string key;
  std::string name = kIssuerName;
  std::string output;
  bool pem = false;
};

Done certificate(Environment& env, const CertificateOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto key = SigningKey::open(env, options.key);
  if (!key) return std::move(key).error();
  const auto to_sign = core::icm_certificate_to_sign(**crypto, key->public_xy(), options.name,
                                                     {Environment::now(), 0});
  if (!to_sign) return from_core("certificate", to_sign.error());
  const auto signature = key->sign("the ICM's certificate", *to_sign);
  if (!signature) return signature.error();
  const auto der = core::assemble_certificate(*to_sign, *signature);
  if (!der) return from_core("certificate", der.error());
  auto bytes = in_form(*der, options.pem);
  if (!bytes) return std::move(bytes).error();
  if (auto done = write_file(options.output, *bytes); !done) return done;
  env.out.say("The ICM's certificate is in " + options.output + ".");
  return {};
}

}  // namespace

void add_icm_key_commands(Command group, Environment& env) {
  add_signing_key_command(group, env, "Make the chip maker's P-384 signing key in any module");
  add_command<FingerprintOptions>(
      group, env, "fingerprint",
      "SHA-256 of a public key: what goes to OEMs and manufacturers by another way", fingerprint,
      [](Command command, FingerprintOptions& options) {
        command
            .add_option("key", options.key, "pkcs11: URI, certificate, or file with the public key")
            .required();
      });
  add_command<CertificateOptions>(
      group, env, "certificate", "The chip maker's self-signed certificate", certificate,
      [](Command command, CertificateOptions& options) {
        add_icm_key_option(command, options.key).required();
        command.add_option("--name", options.name, "Common name").show_default();
        command.add_flag("--pem", options.pem, "Write PEM instead of DER");
        add_output_option(command, options.output).required();
      });
}

}  // namespace tallystick::cli
