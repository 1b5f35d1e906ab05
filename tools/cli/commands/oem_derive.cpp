// `oem derive-keys`: the keys that seal and tag, kept in the token under names, so that any program
// that reaches the token seals and tags with them.
#include <array>

#include <nlohmann/json.hpp>

#include "core/ts1/derive.h"
#include "tools/cli/commands/oem_commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/formats/share_file.h"
#include "tools/cli/pkcs11/token_client.h"
#include "tools/cli/pkcs11/tokens.h"

namespace tallystick::cli {
namespace {

struct DeriveOptions {
  std::string shares;
  std::string token;
  std::string suite = "gcm";
  std::string label;
};

struct KeptKey {
  std::string_view kdf_label;
  // Behind the label that the caller chooses.
  std::string_view ending;
};
constexpr std::array kKeptKeys = {KeptKey{core::kLabelEncData, "-encd"},
                                  KeptKey{core::kLabelEncKey, "-enck"},
                                  KeptKey{core::kLabelAuth, "-auth"}};

Done is_free(Session& session, const std::string& label) {
  Template wanted;
  wanted.number(CKA_CLASS, CKO_SECRET_KEY).text(CKA_LABEL, label);
  const auto found = session.find(wanted);
  if (!found) return found.error();
  if (found->empty()) return {};
  return usage_failure("--label", "the token has a key labelled " + label + " already");
}

Done derive_keys(Environment& env, const DeriveOptions& options) {
  const auto suite = suite_named(options.suite);
  if (!suite) return usage_failure("--suite " + options.suite, "not gcm or ccm");
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto context = read_share_file(options.shares);
  if (!context) return context.error();
  auto session = open_token(env, options.token, kWritable);
  if (!session) return std::move(session).error();
  TokenClient token(**crypto, *std::move(session));
  const auto share = token.share(context->share_id);
  if (!share) return share.error();
  for (const KeptKey& key : kKeptKeys) {
    if (auto done = is_free(token.session(), options.label + std::string(key.ending)); !done) {
      return done;
    }
  }
  const auto master = token.master_key(*share);
  if (!master) return master.error();
  auto keys = nlohmann::ordered_json::array();
  std::vector<Handle> kept;
  for (const KeptKey& key : kKeptKeys) {
    const std::string label = options.label + std::string(key.ending);
    const auto handle = token.asset_key(*master, *suite, key.kdf_label, label);
    if (!handle) {
      // All of them or none.
      for (const Handle one : kept) static_cast<void>(token.session().destroy(one));
      return handle.error();
    }
    kept.push_back(*handle);
    keys.push_back({{"label", label}, {"kdf_label", key.kdf_label}});
  }
  env.out.data(nlohmann::ordered_json{
      {"share_id", core::to_hex(context->share_id)}, {"suite", options.suite}, {"keys", keys}});
  return {};
}

}  // namespace

void add_oem_derive_command(Command group, Environment& env) {
  add_command<DeriveOptions>(
      group, env, "derive-keys",
      "Keep the keys that seal and tag packages in the token, for other programs", derive_keys,
      [](Command command, DeriveOptions& options) {
        add_token_option(command, options.token);
        command.add_option("--shares", options.shares, "shares.json of the share set").required();
        command.add_option("--suite", options.suite, "gcm or ccm")
            .one_of({"gcm", "ccm"})
            .show_default();
        command
            .add_option("--label", options.label,
                        "Their labels begin so: LABEL-encd, LABEL-enck, LABEL-auth")
            .required();
      });
}

}  // namespace tallystick::cli
