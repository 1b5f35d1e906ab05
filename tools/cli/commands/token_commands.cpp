// `tallystick token ...`: the life of a token.
#include <nlohmann/json.hpp>

#include "tools/cli/commands/command.h"
#include "tools/cli/commands/commands.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/pin.h"
#include "tools/cli/pkcs11/rv.h"
#include "tools/cli/pkcs11/token_client.h"
#include "tools/cli/pkcs11/tokens.h"

namespace tallystick::cli {
namespace {

using Json = nlohmann::ordered_json;

struct InitOptions {
  std::string label;
  std::string so_pin_source;
};

Outcome<Slot> slot_for_new_token(const Module& module, const std::string& label) {
  auto slots = module.slots();
  if (!slots) return std::move(slots).error();
  std::optional<Slot> free;
  for (const Slot& slot : *slots) {
    if (slot.initialised() && slot.label() == label) {
      return token_failure("token " + label, "there is one of that label already",
                           "choose another --label");
    }
    if (!slot.initialised() && !free) free = slot;
  }
  if (!free) return token_failure(module.path(), "it has no free slot");
  return *free;
}

Outcome<Slot> slot_labelled(const Module& module, const std::string& label) {
  auto slots = module.slots();
  if (!slots) return std::move(slots).error();
  for (const Slot& slot : *slots) {
    if (slot.initialised() && slot.label() == label) return slot;
  }
  return token_failure("token " + label, "it is not there after its initialisation");
}

Done init_token(Environment& env, const InitOptions& options) {
  if (options.label.empty() || options.label.size() > sizeof(CK_TOKEN_INFO::label)) {
    return usage_failure("--label", "a label has 1 to 32 bytes");
  }
  auto module = env.modules.by_default();
  if (!module) return std::move(module).error();
  auto slot = slot_for_new_token(**module, options.label);
  if (!slot) return std::move(slot).error();
  const std::string name = "token " + options.label;
  auto so_pin =
      find_pin(options.so_pin_source, "TALLYSTICK_SO_PIN", "New security officer's PIN of " + name);
  if (!so_pin) return std::move(so_pin).error();
  auto pin = find_pin(env.pin_source, "TALLYSTICK_PIN", "New PIN of " + name);
  if (!pin) return std::move(pin).error();

  std::string padded = options.label;
  padded.resize(sizeof(CK_TOKEN_INFO::label), ' ');
  const CK_RV rv = (*module)->functions().C_InitToken(slot->id, so_pin->span().data(),
                                                      static_cast<CK_ULONG>(so_pin->size()),
                                                      reinterpret_cast<CK_BYTE*>(padded.data()));
  if (rv != CKR_OK) return from_rv(name, rv);
  // Some modules give the new token another slot.
  auto found = slot_labelled(**module, options.label);
  if (!found) return std::move(found).error();
  auto session = Session::open(*module, *found, true);
  if (!session) return std::move(session).error();
  if (auto done = session->login(CKU_SO, so_pin->view()); !done) return done;
  if (auto done = session->set_user_pin(pin->view()); !done) return done;
  if (env.out.json()) {
    env.out.data(Json{{"label", options.label}, {"serial", found->serial()}, {"slot", found->id}});
  }
  env.out.say("Token \"" + options.label + "\" is ready.");
  return {};
}

struct NoOptions {};

Json token_document(const core::Crypto& crypto, const std::shared_ptr<Module>& module,
                    const Slot& slot) {
  Json entry{{"slot", slot.id}, {"initialised", slot.initialised()}};
  if (!slot.initialised()) return entry;
  const CK_TOKEN_INFO& token = slot.token;
  entry["label"] = slot.label();
  entry["manufacturer"] = field_text(token.manufacturerID, sizeof token.manufacturerID);
  entry["model"] = field_text(token.model, sizeof token.model);
  entry["serial"] = slot.serial();
  entry["user_pin_set"] = (token.flags & CKF_USER_PIN_INITIALIZED) != 0;
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
  Json list = Json::array();
  for (const FamilyInfo& family : *families) {
    const auto fingerprint = core::key_id(**crypto, family.icm_public_key);
    list.push_back({{"family_id", core::to_hex(family.id)},
                    {"role", role_name(static_cast<unsigned>(family.role))},
                    {"flags", family_flags_name(family.flags)},
                    {"software_version", family.software_version},
                    {"icm_fingerprint", fingerprint ? core::to_hex(*fingerprint) : ""}});
  }
  env.out.data(Json{{"families", std::move(list)}});
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

void token_option(CLI::App& command, std::string& token) {
  command.add_option("--token", token, "pkcs11: URI of the token (default: the only one)");
}

}  // namespace

void add_token_commands(CLI::App& app, Environment& env) {
  CLI::App& group = *app.add_subcommand("token", "Make, list and look at tokens");
  add_command<InitOptions>(
      group, env, "init",
      "Make a token in the module's free slot. The security officer's PIN comes from\n"
      "--so-pin-source or $TALLYSTICK_SO_PIN, the user's from --pin-source or $TALLYSTICK_PIN.",
      init_token, [](CLI::App& command, InitOptions& options) {
        command.add_option("--label", options.label, "The token's name")->required();
        command.add_option("--so-pin-source", options.so_pin_source, "file:PATH or env:NAME");
      });
  add_command<NoOptions>(group, env, "list", "List the tokens of a module", list_tokens,
                         [](CLI::App&, NoOptions&) {});
  add_command<TokenOptions>(group, env, "public-key",
                            "The token's device id and public key, for the chip maker to certify",
                            show_public_key, [](CLI::App& command, TokenOptions& options) {
                              token_option(command, options.token);
                              command.add_option("-o,--output", options.output,
                                                 "Write it into this file as JSON");
                            });
  add_command<TokenOptions>(
      group, env, "families", "The part families that the token holds", show_families,
      [](CLI::App& command, TokenOptions& options) { token_option(command, options.token); });
  add_command<CertificateOptions>(
      group, env, "add-certificate", "Put a certificate into the token", add_certificate,
      [](CLI::App& command, CertificateOptions& options) {
        command.add_option("file", options.file, "The certificate, DER or PEM")->required();
        token_option(command, options.token);
        command.add_option("--label", options.label, "Its label")->capture_default_str();
      });
}

}  // namespace tallystick::cli
