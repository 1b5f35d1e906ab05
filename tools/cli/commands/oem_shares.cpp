// `oem make-shares`: the OEM contributes its random input, the token makes OEM_SHARE (FIG. 2).
#include "tools/cli/commands/oem_shares.h"

#include <nlohmann/json.hpp>

#include "core/certificate/device_certificate.h"
#include "tools/cli/commands/oem_commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/formats/share_file.h"
#include "tools/cli/pkcs11/ec_keys.h"

namespace tallystick::cli {
namespace {

constexpr std::size_t kSystemInput = 32;

struct ShareOptions {
  std::string token;
  std::string family;
  std::string oem_key;
  std::string rnd_input;
  std::optional<std::uint32_t> sw_floor;
  BlobOptions blobs;
};

Outcome<core::Secret> random_input(const core::Crypto& crypto, const std::string& source) {
  if (source == "system") {
    auto made = crypto.random_secret(kSystemInput);
    if (!made) return from_core("random input", made.error());
    return *std::move(made);
  }
  auto input = read_secret_file(source, core::kMostRndInput);
  if (!input) return input;
  if (input->size() < core::kLeastRndInput) {
    return file_failure(source, "a random input has 16 to 64 bytes", "32 are advised");
  }
  return input;
}

Done make_shares(Environment& env, const ShareOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto id = parse_family(options.family);
  if (!id) return id.error();
  auto input = random_input(**crypto, options.rnd_input);
  if (!input) return std::move(input).error();
  auto oem_key = public_key_at(env, options.oem_key);
  if (!oem_key) return std::move(oem_key).error();
  const auto oem_id = core::key_id(**crypto, *oem_key);
  if (!oem_id) return from_core("OEM id", oem_id.error());
  auto session = open_token(env, options.token, kWritable);
  if (!session) return std::move(session).error();
  TokenClient token(**crypto, *std::move(session));
  const auto family = token.family(*id);
  if (!family) return family.error();
  const auto floor =
      options.sw_floor.value_or(static_cast<std::uint32_t>(family->software_version));
  auto share = token.make_share(family->id, *oem_id, floor, input->view(), "shares");
  if (!share) return std::move(share).error();
  if (auto done = give_blobs(token, *family, *share, options.blobs); !done) {
    // Shares that nobody can use are not left behind.
    static_cast<void>(token.destroy_share(*share));
    return done;
  }
  tell_share(env, *share, options.blobs.directory);
  return {};
}

}  // namespace

void add_blob_options(Command command, BlobOptions& options) {
  command.add_option("--suite", options.suite, "How the blobs are sealed: gcm or ccm")
      .one_of({"gcm", "ccm"})
      .show_default();
  command
      .add_option("--blobs", options.blobs,
                  "share: for the parts; master: for regeneration; both; auto: both, but no share\n"
                  "blob in a counted family")
      .one_of({"auto", "both", "share", "master"})
      .show_default();
  command
      .add_option("-o,--output", options.directory,
                  "Directory for shares.json, shares.tsos and master.tsms")
      .required();
}

// The role 2 blob is all that regenerates a share set: another set's is never written over.
Done check_directory(const std::string& folder, const core::ShareId& share_id) {
  const std::string known = folder + "/shares.json";
  if (exists(known)) {
    const auto context = read_share_file(known);
    if (context && context->share_id == share_id) return {};
  } else if (!exists(folder + "/master.tsms")) {
    return {};
  }
  return file_failure(folder, "it holds another share set", "give a directory of its own");
}

Done give_blobs(TokenClient& token, const FamilyInfo& family, const ShareInfo& share,
                const BlobOptions& options) {
  if (auto free = check_directory(options.directory, share.context.share_id); !free) return free;
  const auto suite = suite_named(options.suite);
  if (!suite) return usage_failure("--suite " + options.suite, "not gcm or ccm");
  const bool counted = (family.flags & core::kFamilyCounted) != 0;
  const bool give_share =
      options.blobs == "share" || options.blobs == "both" || (options.blobs == "auto" && !counted);
  const bool give_master = options.blobs != "share";
  core::Bytes share_blob;
  core::Bytes master_blob;
  if (give_share) {
    auto blob = token.give_share(share, *suite);
    if (!blob) return std::move(blob).error();
    share_blob = *std::move(blob);
  }
  if (give_master) {
    auto blob = token.give_master_share(share, *suite);
    if (!blob) return std::move(blob).error();
    master_blob = *std::move(blob);
  }
  const std::string& folder = options.directory;
  if (auto done = make_directory(folder); !done) return done;
  const std::string description = share_file_text(share.context);
  std::vector<FileToWrite> files;
  if (give_share) files.push_back({folder + "/shares.tsos", share_blob});
  if (give_master) files.push_back({folder + "/master.tsms", master_blob});
  files.push_back({folder + "/shares.json", core::bytes_of(description)});
  return write_files(files);
}

void tell_share(Environment& env, const ShareInfo& share, const std::string& directory) {
  env.out.data(nlohmann::ordered_json{{"share_id", core::to_hex(share.context.share_id)},
                                      {"oem_id", core::to_hex(share.context.oem_id)},
                                      {"family_id", uuid_text(share.context.family_id)},
                                      {"sw_floor", share.context.sw_floor},
                                      {"directory", directory}});
}

void add_oem_share_commands(Command group, Environment& env) {
  add_command<ShareOptions>(
      group, env, "make-shares", "Make a share set from the OEM's random input and the token's",
      make_shares, [](Command command, ShareOptions& options) {
        add_token_option(command, options.token);
        add_family_option(command, options.family);
        add_oem_key_option(command, options.oem_key).required();
        command
            .add_option("--rnd-input", options.rnd_input,
                        "A file of 16 to 64 bytes, - for standard input, or \"system\"")
            .required();
        command.add_option("--sw-floor", options.sw_floor,
                           "The lowest software that may use the shares (default: what is "
                           "installed)");
        add_blob_options(command, options.blobs);
      });
}

}  // namespace tallystick::cli
