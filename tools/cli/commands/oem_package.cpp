// `oem build-package`: a manifest becomes a sealed, signed and tagged package.
#include <nlohmann/json.hpp>

#include "tools/cli/commands/oem_commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/formats/package_writer.h"
#include "tools/cli/formats/share_file.h"

namespace tallystick::cli {
namespace {

struct BuildOptions {
  std::string manifest;
  std::string shares;
  std::string token;
  std::string oem_key;
  std::string output;
};

Done build_package(Environment& env, const BuildOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto manifest = read_manifest(options.manifest);
  if (!manifest) return std::move(manifest).error();
  const auto context = read_share_file(options.shares);
  if (!context) return context.error();
  auto session = open_token(env, options.token, kWritable);
  if (!session) return std::move(session).error();
  TokenClient token(**crypto, *std::move(session));
  const auto share = token.share(context->share_id);
  if (!share) return share.error();
  auto key = SigningKey::open(env, options.oem_key);
  if (!key) return std::move(key).error();
  if (!manifest->created) manifest->created = static_cast<std::uint64_t>(Environment::now());

  PackageWriter writer(*crypto, token, *share, *key);
  const auto written = writer.write(*manifest, options.output);
  if (!written) return written.error();
  env.out.data(nlohmann::ordered_json{{"package", options.output},
                                      {"package_version", manifest->package_version},
                                      {"suite", suite_name(manifest->suite)},
                                      {"share_id", core::to_hex(context->share_id)},
                                      {"assets", written->assets},
                                      {"bytes", written->bytes}});
  return {};
}

}  // namespace

void add_oem_package_command(Command group, Environment& env) {
  add_command<BuildOptions>(
      group, env, "build-package", "Seal the assets that a manifest (TOML) names into a package",
      build_package, [](Command command, BuildOptions& options) {
        command.add_option("manifest", options.manifest, "The manifest").required();
        command.add_option("--shares", options.shares, "shares.json of the share set").required();
        add_token_option(command, options.token);
        add_oem_key_option(command, options.oem_key).required();
        add_output_option(command, options.output).required();
      });
}

}  // namespace tallystick::cli
