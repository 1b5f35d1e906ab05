// `tallystick token ...`: the life of a token.
#include <nlohmann/json.hpp>

#include "tools/cli/commands/command.h"
#include "tools/cli/commands/commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/commands/token_pins.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/pkcs11/rv.h"
#include "tools/cli/pkcs11/token_client.h"
#include "tools/cli/pkcs11/tokens.h"

namespace tallystick::cli {
namespace {

using Json = nlohmann::ordered_json;

struct NoOptions {};

Json token_document(const core::Crypto& crypto, const std::shared_ptr<Module>& module,
                    const Slot& slot) {
  if (slot.answer != CKR_OK) return {{"slot", slot.id}, {"error", rv_text(slot.answer)}};
  Json entry{{"slot", slot.id}, {"initialised", slot.initialised()}};
  if (!slot.initialised()) return entry;
  const CK_TOKEN_INFO& token = slot.token;
  entry["label"] = slot.label();
  entry["manufacturer"] = field_text(token.manufacturerID, sizeof token.manufacturerID);
  entry["model"] = field_text(token.model, sizeof token.model);
  entry["serial"] = slot.serial();
  entry["user_pin_set"] = slot.user_pin_set();
  entry["user_pin_locked"] = (token.flags & CKF_USER_PIN_LOCKED) != 0;
  auto session = Session::open(module, slot, false);
  if (!session) return entry;
  TokenClient client(crypto, *std::move(session));
  if (const auto key = client.device_key()) entry["device_id"] = core::to_hex(key->id);
  return entry;
}

Done list_tokens(Environment& env, const NoOptions& /*options*/) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto module = env.modules.by_default();
  if (!module) return std::move(module).error();
  auto slots = (*module)->slots();
  if (!slots) return std::move(slots).error();
  Json list = Json::array();
  for (const Slot& slot : *slots) list.push_back(token_document(**crypto, *module, slot));
  env.out.data(Json{{"module", (*module)->path()}, {"tokens", std::move(list)}});
  return {};
}

struct TokenOptions {
  std::string token;
  std::string output;
};

Done show_public_key(Environment& env, const TokenOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto session = open_token(env, options.token, kLookOnly);
  if (!session) return std::move(session).error();
  TokenClient token(**crypto, *std::move(session));
  auto key = token.device_key();
  if (!key) return std::move(key).error();
  const Json document{{"kind", "token"},
                      {"device_id", core::to_hex(key->id)},
                      {"public_key", core::to_hex(key->xy)},
                      {"nonce", core::to_hex(key->nonce)}};
  if (!options.output.empty()) return write_text(options.output, document.dump(2) + "\n");
  env.out.data(document);
  return {};
}

Done show_families(Environment& env, const TokenOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto session = open_token(env, options.token, kLoggedIn);
  if (!session) return std::move(session).error();
  TokenClient token(**crypto, *std::move(session));
  auto families = token.families();
  if (!families) return std::move(families).error();
  // People get each family under its id as they write it, scripts a list.
  Json list = Json::array();
  Json headed = Json::object();
  for (const FamilyInfo& family : *families) {
    const auto fingerprint = core::key_id(**crypto, family.icm_public_key);
    Json entry{{"role", role_name(static_cast<unsigned>(family.role))},
               {"flags", family_flags_name(family.flags)},
               {"software_version", family.software_version},
               {"icm_fingerprint", fingerprint ? core::to_hex(*fingerprint) : ""}};
    Json listed{{"family_id", core::to_hex(family.id)}};
    listed.update(entry);
    list.push_back(std::move(listed));
    if (family.software_version == 0) entry["software_version"] = nullptr;
    headed["family " + uuid_text(family.id)] = std::move(entry);
  }
  const bool as_list = env.out.json() || headed.empty();
  env.out.data(as_list ? Json{{"families", std::move(list)}} : headed);
  return {};
}

struct CertificateOptions {
  std::string file;
  std::string token;
  std::string label = "device";
};

Done add_certificate(Environment& env, const CertificateOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto der = load_certificate(options.file);
  if (!der) return std::move(der).error();
  auto session = open_token(env, options.token, kWritable);
  if (!session) return std::move(session).error();
  TokenClient token(**crypto, *std::move(session));
  if (auto done = token.add_certificate(*der, options.label); !done) return done;
  env.out.say("The certificate is in the token.");
  return {};
}

}  // namespace

void add_token_commands(Command app, Environment& env) {
  Command group = app.add("token", "Make, list and look at tokens");
  add_token_init_command(group, env);
  add_token_pin_command(group, env);
  add_command<NoOptions>(group, env, "list", "List the tokens of a module", list_tokens,
                         [](Command, NoOptions&) {});
  add_command<TokenOptions>(group, env, "public-key",
                            "The token's device id and public key, for the chip maker to certify",
                            show_public_key, [](Command command, TokenOptions& options) {
                              add_token_option(command, options.token);
                              command.add_option("-o,--output", options.output,
                                                 "Write it into this file as JSON");
                            });
  add_command<TokenOptions>(
      group, env, "families", "The part families that the token holds", show_families,
      [](Command command, TokenOptions& options) { add_token_option(command, options.token); });
  add_command<CertificateOptions>(
      group, env, "add-certificate", "Put a certificate into the token", add_certificate,
      [](Command command, CertificateOptions& options) {
        command.add_option("file", options.file, "The certificate, DER or PEM").required();
        add_token_option(command, options.token);
        command.add_option("--label", options.label, "Its label").show_default();
      });
}

}  // namespace tallystick::cli
