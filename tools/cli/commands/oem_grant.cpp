// `oem grant` and `oem share-for-device`: counted families, where each part takes its shares in a
// blob of its own (role 3).
#include <nlohmann/json.hpp>

#include "core/base/reader.h"
#include "core/certificate/device_certificate.h"
#include "tools/cli/commands/oem_commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/formats/part_file.h"
#include "tools/cli/formats/share_file.h"
#include "tools/cli/pkcs11/ec_keys.h"
#include "tools/cli/pkcs11/token_client.h"

namespace tallystick::cli {
namespace {

struct GrantOptions {
  std::string shares;
  std::string job_id = "auto";
  std::uint64_t limit = 0;
  std::string minter;
  std::string oem_key;
  std::string output;
};

Done grant(Environment& env, const GrantOptions& options) {
  if (options.limit == 0) return usage_failure("--limit 0", "a grant is for one part at least");
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto context = read_share_file(options.shares);
  if (!context) return context.error();
  Grant given;
  given.share_id = context->share_id;
  given.limit = options.limit;
  if (options.job_id == "auto") {
    if (auto done = (*crypto)->random(given.job_id); !done) return from_core("job", done.error());
  } else if (const auto id = uuid_from(options.job_id)) {
    given.job_id = *id;
  } else {
    return usage_failure("--job-id " + options.job_id, "neither \"auto\" nor a UUID");
  }
  const auto minter = load_device_identity(env, options.minter);
  if (!minter) return minter.error();
  if (minter->kind != core::DeviceKind::kToken) {
    return refused(options.minter, "only a token mints share blobs");
  }
  auto key = SigningKey::open(env, options.oem_key);
  if (!key) return std::move(key).error();
  const auto message =
      core::grant_message(**crypto, *context, given.job_id, given.limit, minter->xy);
  if (!message) return from_core("grant", message.error());
  const auto signature = key->sign("grant", *message);
  if (!signature) return signature.error();
  given.oem_public_key = key->public_array();
  given.signature = core::array_of<96>(*signature);
  if (auto done = write_grant_file(options.output, given); !done) return done;
  env.out.say("Grant of " + std::to_string(given.limit) + " parts in job " +
              uuid_text(given.job_id) + ": " + options.output);
  return {};
}

struct MintOptions {
  std::string token;
  std::string shares;
  std::string grant;
  std::string suite = "gcm";
  std::uint64_t first_number = 1;
  std::vector<std::string> recipients;
  std::string directory;
};

// A recipient is a part's file or a device certificate.
Outcome<core::Bytes> certificate_of(const std::shared_ptr<const core::Crypto>& crypto,
                                    const std::string& path) {
  auto file = InputFile::open(path);
  if (!file) return std::move(file).error();
  if (file->size() <= kSmallFile) return load_certificate(path);
  const auto part = open_part(crypto, path);
  if (!part) return part.error();
  const core::ByteView der = (*part)->certificate();
  if (der.empty()) return refused(path, "the part is not certified");
  return core::Bytes(der.begin(), der.end());
}

core::Bytes mint_parameter(const Grant& grant, core::Suite suite, std::uint64_t number) {
  core::Writer parameter;
  parameter.u8(static_cast<std::uint8_t>(suite))
      .bytes(grant.job_id)
      .u64(number)
      .u64(grant.limit)
      .bytes(grant.oem_public_key)
      .bytes(grant.signature);
  return parameter.take();
}

// The numbers first to first + count - 1 have to lie in 1 to limit.
Done check_numbers(const MintOptions& options, const Grant& grant) {
  const std::uint64_t first = options.first_number;
  const std::uint64_t count = options.recipients.size();
  if (first == 0) return usage_failure("--first-number 0", "counting begins at 1");
  const std::uint64_t left = first > grant.limit ? 0 : grant.limit - first + 1;
  if (count <= left) return {};
  return refused(options.grant,
                 "it is for " + std::to_string(grant.limit) + " parts; from number " +
                     std::to_string(first) + " on " + std::to_string(left) + " are left, not " +
                     std::to_string(count),
                 "the OEM grants more with `oem grant`");
}

// The desk that mints: what stays the same from one device to the next.
struct Mint {
  std::shared_ptr<const core::Crypto> crypto;
  TokenClient token;
  ShareInfo share;
  core::Bytes icm_public_key;
  Grant grant;
  core::Suite suite{};
  std::string directory;
};

Outcome<Mint> open_mint(Environment& env, const MintOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto context = read_share_file(options.shares);
  if (!context) return context.error();
  const auto grant = read_grant_file(options.grant);
  if (!grant) return grant.error();
  if (auto good = check_numbers(options, *grant); !good) return std::move(good).error();
  const auto suite = suite_named(options.suite);
  if (!suite) return usage_failure("--suite " + options.suite, "not gcm or ccm");
  auto session = open_token(env, options.token, kWritable);
  if (!session) return std::move(session).error();
  TokenClient token(**crypto, *std::move(session));
  const auto share = token.share(context->share_id);
  if (!share) return share.error();
  auto family = token.family(context->family_id);
  if (!family) return std::move(family).error();
  if (auto done = make_directory(options.directory); !done) return std::move(done).error();
  return Mint{*crypto, std::move(token), *share,           std::move(family->icm_public_key),
              *grant,  *suite,           options.directory};
}

// One blob. `number` moves on as soon as the token has given one under it, so that no number
// stands in two blobs, whatever becomes of the file.
Done mint_for(Mint& mint, const std::string& recipient, std::uint64_t& number) {
  const auto der = certificate_of(mint.crypto, recipient);
  if (!der) return der.error();
  const auto device = core::verify_device_certificate(*mint.crypto, *der, mint.icm_public_key);
  if (!device) return from_core(recipient, device.error());
  const auto blob = mint.token.share_for_device(
      mint.share, mint_parameter(mint.grant, mint.suite, number), device->key.xy(), *der);
  if (!blob) return blob.error();
  ++number;
  return write_file(mint.directory + "/" + core::to_hex(device->id) + ".tsop", *blob);
}

Done mint(Environment& env, const MintOptions& options) {
  auto desk = open_mint(env, options);
  if (!desk) return std::move(desk).error();
  std::uint64_t number = options.first_number;
  std::size_t written = 0;
  Done done;
  for (const std::string& recipient : options.recipients) {
    done = mint_for(*desk, recipient, number);
    if (!done) break;
    ++written;
  }
  env.out.data(nlohmann::ordered_json{{"blobs", written},
                                      {"job_id", uuid_text(desk->grant.job_id)},
                                      {"next_number", number},
                                      {"limit", desk->grant.limit},
                                      {"directory", options.directory}});
  if (done) return {};
  Failure failure = with_advice(std::move(done).error(),
                                std::to_string(written) + " blobs are written; go on from " +
                                    options.recipients[written] + " with --first-number " +
                                    std::to_string(number));
  if (written > 0) failure.exit = Exit::kPartial;
  return failure;
}

}  // namespace

void add_oem_grant_commands(Command group, Environment& env) {
  add_command<GrantOptions>(
      group, env, "grant", "Sign the right of one token to mint a number of share blobs", grant,
      [](Command command, GrantOptions& options) {
        command.add_option("--shares", options.shares, "shares.json of the share set").required();
        command.add_option("--job-id", options.job_id, "auto or a UUID").show_default();
        command.add_option("--limit", options.limit, "How many parts").required();
        command
            .add_option("--minter", options.minter,
                        "The token: pkcs11: URI, or what `token public-key -o` wrote")
            .required();
        add_oem_key_option(command, options.oem_key).required();
        add_output_option(command, options.output).required();
      });
  add_command<MintOptions>(
      group, env, "share-for-device",
      "Mint the share blob of each device named; ID.tsop in the directory", mint,
      [](Command command, MintOptions& options) {
        add_token_option(command, options.token);
        command.add_option("--shares", options.shares, "shares.json of the share set").required();
        command.add_option("--grant", options.grant, "What `oem grant` wrote").required();
        command.add_option("--suite", options.suite, "gcm or ccm")
            .one_of({"gcm", "ccm"})
            .show_default();
        command.add_option("--first-number", options.first_number, "The first count to spend")
            .show_default();
        command.add_option("recipients", options.recipients, "Parts' files or device certificates")
            .required();
        command.add_option("-o,--output", options.directory, "Directory for the blobs").required();
      });
}

}  // namespace tallystick::cli
