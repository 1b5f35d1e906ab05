#include "provider/locate.h"

#include "provider/public_key.h"

namespace tallystick::provider {
namespace {

// body(Session&) -> Outcome<T>, once more when what was known of the token is stale.
template <typename Body>
auto in_session(Token& token, Body body) -> decltype(body(std::declval<Session&>())) {
  for (bool again = false;; again = true) {
    auto session = token.session();
    if (!session) return std::move(session).error();
    auto result = body(*session);
    if (result.ok() || again || !token.begins_anew(session->life(), result.error().rv)) {
      return result;
    }
  }
}

}  // namespace

Outcome<client::Uri> parse_uri(const std::string& text) {
  auto uri = client::Uri::parse(text);
  if (uri) return *std::move(uri);
  const client::BadUri& bad = uri.error();
  return fail(Reason::kUri,
              bad.uri + ": " + bad.why + (bad.advice.empty() ? "" : " (" + bad.advice + ")"));
}

Outcome<std::vector<std::shared_ptr<Token>>> tokens_for(Context& context, const client::Uri& uri) {
  const auto modules = modules_for(uri, context.settings());
  if (!modules) return modules.error();
  std::vector<std::shared_ptr<Token>> tokens;
  std::optional<Failure> silent;
  for (Module* module : *modules) {
    const auto slots = module->slots();
    if (!slots) {
      silent = slots.error();
      continue;
    }
    for (const client::Slot& slot : *slots) {
      if (uri.slot_id() && *uri.slot_id() != slot.id) continue;
      if (slot.answer != CKR_OK) {
        silent = from_rv(Reason::kToken, "slot " + std::to_string(slot.id), slot.answer);
      } else if (slot.initialised() && uri.matches(slot.token)) {
        tokens.push_back(context.tokens().at(*module, slot));
      }
    }
  }
  if (!tokens.empty()) return tokens;
  // One that does not answer may be the one that is meant.
  if (silent) return *silent;
  const std::string where =
      modules->size() == 1 ? modules->front()->path() : "the modules that p11-kit has registered";
  return fail(Reason::kToken, uri.text() + ": no such token in " + where);
}

Outcome<std::shared_ptr<Token>> token_for(Context& context, const client::Uri& uri) {
  const auto tokens = tokens_for(context, uri);
  if (!tokens) return tokens.error();
  if (tokens->size() > 1) {
    return fail(Reason::kAmbiguous, uri.text() + ": " + std::to_string(tokens->size()) +
                                        " tokens match; name one by token= or serial=");
  }
  return tokens->front();
}

Outcome<std::vector<Found>> objects_in(const std::shared_ptr<Token>& token, const client::Uri& uri,
                                       CK_OBJECT_CLASS object_class, core::ByteView subject) {
  return in_session(*token, [&](Session& session) -> Outcome<std::vector<Found>> {
    Template wanted;
    wanted.number(CKA_CLASS, object_class);
    if (const auto label = uri.object_label()) wanted.bytes(CKA_LABEL, *label);
    if (const auto id = uri.object_id()) wanted.bytes(CKA_ID, *id);
    if (!subject.empty()) wanted.bytes(CKA_SUBJECT, subject);
    const auto handles = session.find(wanted);
    if (!handles) return handles.error();
    std::vector<Found> found;
    for (const ObjectHandle handle : *handles) {
      auto id = session.attribute(handle, CKA_ID);
      if (!id) return std::move(id).error();
      auto label = session.attribute(handle, CKA_LABEL);
      if (!label) return std::move(label).error();
      found.push_back({token,
                       {object_class, *std::move(id), *std::move(label)},
                       handle,
                       session.life().generation});
    }
    return found;
  });
}

Outcome<KeyPtr> key_of(Context& context, const Found& found, bool with_private) {
  const auto object =
      std::make_shared<TokenObject>(found.token, found.mark, found.handle, found.generation);
  return object->use([&](Session& session, ObjectHandle handle) -> Outcome<KeyPtr> {
    const Quietly quietly;
    auto public_key = public_key_of(context.lib(), session, handle);
    if (!public_key) return std::move(public_key).error();
    auto key = std::make_unique<Key>();
    key->context = &context;
    key->type = key_type(public_key->type);
    if (key->type == nullptr) {
      return fail(Reason::kKey, object->name() + ": " + public_key->type + " keys are not offered");
    }
    key->pkey = std::move(public_key->pkey);
    key->parts = OSSL_KEYMGMT_SELECT_PUBLIC_KEY | OSSL_KEYMGMT_SELECT_ALL_PARAMETERS;
    if (with_private) {
      const auto asks = session.number(handle, CKA_ALWAYS_AUTHENTICATE, CK_FALSE);
      if (!asks) return asks.error();
      key->token = object;
      key->parts |= OSSL_KEYMGMT_SELECT_PRIVATE_KEY;
      key->asks_every_time = *asks == CK_TRUE;
    }
    return key;
  });
}

Outcome<KeyPtr> key_by_uri(Context& context, const client::Uri& uri, const PinSource& pins,
                           bool with_private) {
  const auto token = token_for(context, uri);
  if (!token) return token.error();
  if ((*token)->wants_login() && context.settings().login != Settings::Login::kNever) {
    if (auto done = (*token)->login(pins, true); !done) return std::move(done).error();
  }
  const auto found = objects_in(*token, uri, CKO_PRIVATE_KEY);
  if (!found) return found.error();
  if (found->empty()) return fail(Reason::kObject, uri.text() + ": no such private key");
  if (found->size() > 1) {
    return fail(Reason::kAmbiguous, uri.text() + ": " + std::to_string(found->size()) +
                                        " private keys match; name one by object= or id=");
  }
  return key_of(context, found->front(), with_private);
}

Outcome<core::Bytes> value_of(const Found& found) {
  TokenObject object(found.token, found.mark, found.handle, found.generation);
  return object.use(
      [](Session& session, ObjectHandle handle) { return session.attribute(handle, CKA_VALUE); });
}

}  // namespace tallystick::provider
