// `oem consent` and `oem regenerate`: FIG. 4, with the OEM's consent.
#include "core/certificate/device_certificate.h"
#include "tools/cli/commands/oem_commands.h"
#include "tools/cli/commands/oem_shares.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/json_file.h"
#include "tools/cli/formats/share_file.h"
#include "tools/cli/pkcs11/ec_keys.h"

namespace tallystick::cli {
namespace {

Outcome<core::Bytes> read_master_blob(const std::string& path) {
  auto blob = read_file(path, core::kMostMasterBlobSize);
  if (!blob) return blob;
  const auto parsed = core::parse_share_blob(*blob);
  if (!parsed) return from_core(path, parsed.error());
  if (parsed->header.role != core::BlobRole::kMaster) {
    return refused(path, "it is not a share blob for regeneration (role 2)");
  }
  return blob;
}

struct ConsentOptions {
  std::string blob;
  std::string device;
  std::string oem_key;
  std::string output;
};

struct Target {
  core::DeviceId device_id{};
  core::ByteArray<32> nonce{};
};

// Device id and nonce: from the token itself, or from what `token public-key -o` wrote.
Outcome<Target> target_of(Environment& env, const core::Crypto& crypto, const std::string& where) {
  if (where.starts_with("pkcs11:")) {
    auto session = open_token(env, where, kLookOnly);
    if (!session) return std::move(session).error();
    TokenClient token(crypto, *std::move(session));
    const auto key = token.device_key();
    if (!key) return key.error();
    if (key->nonce.size() != 32) return token_failure(where, "it gives no nonce");
    return Target{key->id, core::array_of<32>(key->nonce)};
  }
  auto bytes = read_file(where);
  if (!bytes) return std::move(bytes).error();
  const auto document = parse_json(*bytes);
  const auto id = hex_member<32>(document, "device_id");
  const auto nonce = hex_member<32>(document, "nonce");
  if (!id || !nonce) {
    return file_failure(where, "device_id or nonce is missing", "`token public-key -o` writes it");
  }
  return Target{*id, *nonce};
}

Done consent(Environment& env, const ConsentOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto blob = read_master_blob(options.blob);
  if (!blob) return blob.error();
  const auto target = target_of(env, **crypto, options.device);
  if (!target) return target.error();
  auto key = SigningKey::open(env, options.oem_key);
  if (!key) return std::move(key).error();
  const auto message =
      core::regeneration_message(**crypto, target->device_id, target->nonce, *blob);
  if (!message) return from_core("consent", message.error());
  const auto signature = key->sign("consent", *message);
  if (!signature) return signature.error();
  const Consent given{target->device_id, target->nonce, key->public_array(),
                      core::array_of<96>(*signature)};
  if (auto done = write_consent_file(options.output, given); !done) return done;
  env.out.say("Consent to one regeneration in token " + core::to_hex(target->device_id) + ": " +
              options.output);
  return {};
}

struct RegenerateOptions {
  std::string blob;
  std::string consent;
  std::string token;
  std::string family;
  BlobOptions blobs;
};

// A token tells nobody why it refused a blob (CKR_WRAPPED_KEY_INVALID). What can be seen from here
// is compared in the token's own order: family, consent, blob.
std::string advice_after_refusal(const core::Crypto& crypto, TokenClient& token,
                                 const FamilyInfo& family, core::ByteView blob,
                                 const std::optional<Consent>& consent) {
  const auto parsed = core::parse_share_blob(blob);
  if (parsed && parsed->header.context.family_id != family.id) {
    return "the blob is of the family " + uuid_text(parsed->header.context.family_id) +
           ", the token's is " + uuid_text(family.id);
  }
  if (!consent) return "without the OEM's consent it does not: make one with `oem consent`";
  const auto device = token.device_key();
  if (!device) return "";
  if (consent->device_id != device->id) {
    return "the consent is for token " + core::to_hex(consent->device_id) + ", this one is " +
           core::to_hex(device->id) + ": make one for it with `oem consent`";
  }
  if (!core::equal_in_constant_time(consent->nonce, device->nonce)) {
    return "the consent was used before: one serves once, make another with `oem consent`";
  }
  if (!core::check_consent(crypto, device->id, device->nonce, blob, consent->oem_public_key,
                           consent->signature)) {
    return "the consent is for another blob, or not of the OEM whose shares these are";
  }
  return "the consent holds, the blob does not open: was it changed?";
}

Done regenerate(Environment& env, const RegenerateOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto id = parse_family(options.family);
  if (!id) return id.error();
  const auto blob = read_master_blob(options.blob);
  if (!blob) return blob.error();
  std::optional<Consent> given;
  if (!options.consent.empty()) {
    const auto read = read_consent_file(options.consent);
    if (!read) return read.error();
    given = *read;
  }
  // Before the consent is spent.
  const auto parsed = core::parse_share_blob(*blob);
  if (auto free = check_directory(options.blobs.directory, parsed->header.context.share_id);
      !free) {
    return free;
  }
  auto session = open_token(env, options.token, kWritable);
  if (!session) return std::move(session).error();
  TokenClient token(**crypto, *std::move(session));
  const auto family = token.family(*id);
  if (!family) return family.error();
  // Without a consent the token is asked all the same: refusing is its business.
  const Consent shown = given.value_or(Consent{});
  auto share = token.regenerate(*family, *blob, shown.oem_public_key, shown.signature, "shares");
  if (!share) {
    Failure failure = std::move(share).error();
    if (failure.answer == CKR_WRAPPED_KEY_INVALID) {
      failure.advice = advice_after_refusal(**crypto, token, *family, *blob, given);
    }
    return failure;
  }
  if (auto done = give_blobs(token, *family, *share, options.blobs); !done) {
    static_cast<void>(token.destroy_share(*share));
    return with_advice(std::move(done).error(), "the consent is used, the next try needs another");
  }
  tell_share(env, *share, options.blobs.directory);
  return {};
}

}  // namespace

void add_oem_regenerate_commands(Command group, Environment& env) {
  add_command<ConsentOptions>(
      group, env, "consent", "Sign the OEM's consent to one regeneration in one token", consent,
      [](Command command, ConsentOptions& options) {
        command.add_option("blob", options.blob, "The role 2 blob, .tsms").required();
        command
            .add_option("--device", options.device,
                        "The token: pkcs11: URI, or what `token public-key -o` wrote")
            .required();
        add_oem_key_option(command, options.oem_key).required();
        add_output_option(command, options.output).required();
      });
  add_command<RegenerateOptions>(
      group, env, "regenerate", "Make a share set again from its role 2 blob (FIG. 4)", regenerate,
      [](Command command, RegenerateOptions& options) {
        command.add_option("blob", options.blob, "The role 2 blob, .tsms").required();
        command.add_option("--consent", options.consent,
                           "What `oem consent` wrote; without it the token refuses");
        add_token_option(command, options.token);
        add_family_option(command, options.family);
        add_blob_options(command, options.blobs);
      });
}

}  // namespace tallystick::cli
