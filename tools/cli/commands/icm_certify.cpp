// `icm certify`: a certificate for one device key.
#include "tools/cli/commands/icm_commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/certify.h"

namespace tallystick::cli {
namespace {

struct CertifyOptions {
  std::string device;
  std::string kind;
  std::string key;
  std::string name = kIssuerName;
  std::string output;
  bool pem = false;
};

Done certify(Environment& env, const CertifyOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto device = load_device_identity(env, options.device);
  if (!device) return std::move(device).error();
  const char* kind = device->kind == core::DeviceKind::kPart ? "part" : "token";
  if (options.kind != kind) {
    return refused(options.device, "it is a " + std::string(kind) + ", not a " + options.kind);
  }
  auto key = SigningKey::open(env, options.key);
  if (!key) return std::move(key).error();
  const auto der = certify_device(**crypto, *key, *device, options.name);
  if (!der) return der.error();
  auto bytes = in_form(*der, options.pem);
  if (!bytes) return std::move(bytes).error();
  if (auto done = write_file(options.output, *bytes); !done) return done;
  env.out.say("Certified " + options.kind + " " + core::to_hex(device->id) + ": " + options.output);
  return {};
}

}  // namespace

void add_icm_certify_command(Command group, Environment& env) {
  add_command<CertifyOptions>(
      group, env, "certify", "Issue the certificate of one device", certify,
      [](Command command, CertifyOptions& options) {
        command
            .add_option("device", options.device,
                        "pkcs11: URI of a token, its public key file, or a part's file")
            .required();
        command.add_option("--kind", options.kind, "What it is to be certified as")
            .required()
            .one_of({"token", "part"});
        add_icm_key_option(command, options.key).required();
        command
            .add_option("--name", options.name,
                        "The issuer's common name, as in its own "
                        "certificate")
            .show_default();
        command.add_flag("--pem", options.pem, "Write PEM instead of DER");
        add_output_option(command, options.output).required();
      });
}

}  // namespace tallystick::cli
