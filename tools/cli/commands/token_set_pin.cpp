// `token set-pin`: another PIN for the user or the security officer, and the first one of a user.
#include <nlohmann/json.hpp>

#include "tools/cli/commands/options.h"
#include "tools/cli/commands/token_pins.h"
#include "tools/cli/pin.h"
#include "tools/cli/pkcs11/tokens.h"

namespace tallystick::cli {
namespace {

struct SetPinOptions {
  std::string token;
  std::string so_pin_source;
  std::string new_pin_source;
  bool so = false;
  bool reset = false;
};

Outcome<core::Secret> new_pin(const SetPinOptions& options, const Session& session) {
  const std::string whose = options.so ? "security officer's PIN of " : "PIN of ";
  auto pin = find_new_pin(options.new_pin_source, kNewPin, "New " + whose + session.name());
  if (!pin) return pin;
  auto good = check_pin_length(session.slot(), "new " + whose + session.name(), pin->view());
  if (!good) return std::move(good).error();
  return pin;
}

Outcome<core::Secret> so_pin(const SetPinOptions& options, const Session& session) {
  return find_pin(options.so_pin_source, kSoPin,
                  "Present security officer's PIN of " + session.name());
}

// The security officer's own, or the user's by his hand.
Done set_as_so(const SetPinOptions& options, Session& session) {
  const auto present = so_pin(options, session);
  if (!present) return present.error();
  const auto pin = new_pin(options, session);
  if (!pin) return pin.error();
  if (auto done = session.login(CKU_SO, present->view()); !done) return done;
  if (options.so) return session.change_pin(present->view(), pin->view());
  return session.set_user_pin(pin->view());
}

Done set_as_user(Environment& env, const SetPinOptions& options, const Uri& uri, Session& session) {
  const auto present = user_pin(env, uri, session);
  if (!present) return present.error();
  const auto pin = new_pin(options, session);
  if (!pin) return pin.error();
  return session.change_pin(present->view(), pin->view());
}

Done set_pin(Environment& env, const SetPinOptions& options) {
  const auto uri = parse_uri(options.token.empty() ? "pkcs11:" : options.token);
  if (!uri) return uri.error();
  auto session = open_token(env, *uri, kWritableNoLogin);
  if (!session) return std::move(session).error();
  const bool first = !session->slot().user_pin_set();
  const bool as_so = options.so || options.reset || first;
  Done done = as_so ? set_as_so(options, *session) : set_as_user(env, options, *uri, *session);
  if (!done) return done;
  if (env.out.json()) {
    env.out.data(nlohmann::ordered_json{{"label", session->slot().label()},
                                        {"serial", session->slot().serial()},
                                        {"pin", options.so ? "security officer" : "user"},
                                        {"first", first && !options.so}});
  }
  env.out.say(options.so ? "The security officer has a new PIN."
              : first    ? "The user has a PIN."
                         : "The user has a new PIN.");
  return {};
}

}  // namespace

void add_token_pin_command(Command group, Environment& env) {
  add_command<SetPinOptions>(
      group, env, "set-pin",
      "Change the user's PIN or, with --so, the security officer's. Where the user has none yet\n"
      "the security officer's PIN sets the first. The new PIN comes from --new-pin-source or\n"
      "$TALLYSTICK_NEW_PIN, the user's present one from where every command takes it.",
      set_pin, [](Command command, SetPinOptions& options) {
        add_token_option(command, options.token);
        command.add_option("--new-pin-source", options.new_pin_source, "file:PATH or env:NAME");
        command.add_option("--so-pin-source", options.so_pin_source,
                           "The security officer's present PIN: file:PATH or env:NAME (default:\n"
                           "$TALLYSTICK_SO_PIN, then the terminal)");
        const Option so = command.add_flag("--so", options.so, "The security officer's PIN");
        command
            .add_flag("--reset", options.reset,
                      "A user's PIN that is locked or forgotten, with the security officer's. A\n"
                      "Tallystick token loses its private objects by this; families stay")
            .excludes(so);
      });
}

}  // namespace tallystick::cli
