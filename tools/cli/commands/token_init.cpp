// `token init`: a token with both its PINs. C_InitToken and C_InitPIN are two steps; what can be
// wrong is looked for before the first, and who stopped between them goes on by the same command.
#include <nlohmann/json.hpp>

#include "tools/cli/commands/token_pins.h"
#include "tools/cli/pin.h"
#include "tools/cli/pkcs11/rv.h"
#include "tools/cli/pkcs11/tokens.h"

namespace tallystick::cli {
namespace {

struct InitOptions {
  std::string label;
  std::string so_pin_source;
};

// A free slot, or the token of this label that was left without a user's PIN.
struct Place {
  Slot slot;
  bool begun = false;
};

Outcome<Place> place_for(const Module& module, const std::string& label) {
  auto slots = module.slots();
  if (!slots) return std::move(slots).error();
  std::optional<Place> place;
  for (const Slot& slot : *slots) {
    if (slot.initialised() && slot.label() == label) {
      if (slot.user_pin_set()) {
        return token_failure("token " + label, "there is one of that label already",
                             "choose another --label");
      }
      place = Place{slot, true};
    }
    if (slot.answer == CKR_OK && !slot.initialised() && !place) place = Place{slot};
  }
  if (!place) return token_failure(module.path(), "it has no free slot");
  return *place;
}

// The token that was made just now: some modules give it another slot.
Outcome<Slot> slot_without_pin(const Module& module, const std::string& label) {
  auto slots = module.slots();
  if (!slots) return std::move(slots).error();
  for (const Slot& slot : *slots) {
    if (slot.initialised() && slot.label() == label && !slot.user_pin_set()) return slot;
  }
  return token_failure("token " + label, "it is not there after its initialisation");
}

struct NewPins {
  core::Secret so;
  core::Secret user;
};

Outcome<NewPins> find_pins(Environment& env, const InitOptions& options, const Place& place) {
  const std::string name = "token " + options.label;
  const std::string so_pin_name = "security officer's PIN of " + name;
  auto so = place.begun ? find_pin(options.so_pin_source, kSoPin, "Present " + so_pin_name)
                        : find_new_pin(options.so_pin_source, kSoPin, "New " + so_pin_name);
  if (!so) return std::move(so).error();
  if (!place.begun) {
    if (auto good = check_pin_length(place.slot, so_pin_name, so->view()); !good) {
      return std::move(good).error();
    }
  }
  auto user = find_new_pin(env.pin_source, kUserPin, "New PIN of " + name);
  if (!user) return std::move(user).error();
  if (auto good = check_pin_length(place.slot, "user's PIN of " + name, user->view()); !good) {
    return std::move(good).error();
  }
  return NewPins{*std::move(so), *std::move(user)};
}

bool taken(const Module& module, CK_SLOT_ID slot) {
  CK_TOKEN_INFO token{};
  return module.functions().C_GetTokenInfo(slot, &token) == CKR_OK &&
         (token.flags & CKF_TOKEN_INITIALIZED) != 0;
}

// The slot is looked for again, since who types a PIN takes his time: C_InitToken in one that has a
// token by now would make that token anew. Our module refuses that where the token has appeared
// since we looked, and then another slot is taken.
Outcome<Slot> make_token(const Module& module, const std::string& label, core::Secret& so_pin) {
  constexpr int kTries = 8;
  std::string padded = label;
  padded.resize(sizeof(CK_TOKEN_INFO::label), ' ');
  for (int tries = 1;; ++tries) {
    const auto place = place_for(module, label);
    if (!place) return place.error();
    if (place->begun) {
      return token_failure("token " + label, "another process is making one of that label",
                           "see `tallystick token list`");
    }
    const CK_RV rv = module.functions().C_InitToken(place->slot.id, so_pin.span().data(),
                                                    static_cast<CK_ULONG>(so_pin.size()),
                                                    reinterpret_cast<CK_BYTE*>(padded.data()));
    if (rv == CKR_OK) return slot_without_pin(module, label);
    if (tries == kTries || !taken(module, place->slot.id)) return from_rv("token " + label, rv);
  }
}

Done give_user_pin(const std::shared_ptr<Module>& module, const Slot& slot, const NewPins& pins) {
  auto session = Session::open(module, slot, true);
  if (!session) return std::move(session).error();
  if (auto done = session->login(CKU_SO, pins.so.view()); !done) return done;
  return session->set_user_pin(pins.user.view());
}

Done init_token(Environment& env, const InitOptions& options) {
  if (options.label.empty() || options.label.size() > sizeof(CK_TOKEN_INFO::label)) {
    return usage_failure("--label", "a label has 1 to 32 bytes");
  }
  auto module = env.modules.by_default();
  if (!module) return std::move(module).error();
  auto place = place_for(**module, options.label);
  if (!place) return std::move(place).error();
  auto pins = find_pins(env, options, *place);
  if (!pins) return std::move(pins).error();
  if (!place->begun) {
    auto made = make_token(**module, options.label, pins->so);
    if (!made) return std::move(made).error();
    place->slot = *made;
  }
  if (auto done = give_user_pin(*module, place->slot, *pins); !done) {
    return with_advice(std::move(done).error(),
                       "the token is there but has no user PIN: the same command with its security "
                       "officer's PIN goes on");
  }
  if (env.out.json()) {
    env.out.data(nlohmann::ordered_json{
        {"label", options.label}, {"serial", place->slot.serial()}, {"slot", place->slot.id}});
  }
  env.out.say("Token \"" + options.label + "\" is ready.");
  return {};
}

}  // namespace

Done check_pin_length(const Slot& slot, const std::string& what, core::ByteView pin) {
  const CK_ULONG least = slot.token.ulMinPinLen;
  const CK_ULONG most = slot.token.ulMaxPinLen;
  // A module that names no limits lets C_InitToken and C_SetPIN judge.
  if (most == 0 || (pin.size() >= least && pin.size() <= most)) return {};
  return token_failure(what, pin.size() < least ? "it is too short" : "it is too long",
                       "the token takes " + std::to_string(least) + " to " + std::to_string(most) +
                           " bytes; nothing was changed");
}

void add_token_init_command(Command group, Environment& env) {
  add_command<InitOptions>(
      group, env, "init",
      "Make a token in the module's free slot, or finish one of that label that was left without\n"
      "a user's PIN. The security officer's PIN comes from --so-pin-source or $TALLYSTICK_SO_PIN,\n"
      "the user's from --pin-source or $TALLYSTICK_PIN.",
      init_token, [](Command command, InitOptions& options) {
        command.add_option("--label", options.label, "The token's name").required();
        command.add_option("--so-pin-source", options.so_pin_source, "file:PATH or env:NAME");
      });
}

}  // namespace tallystick::cli
