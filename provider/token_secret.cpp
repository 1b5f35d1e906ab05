#include "provider/token_secret.h"

#include <algorithm>

namespace tallystick::provider {
namespace {

// The types whose length their name does not tell carry it in CKA_VALUE_LEN.
Outcome<TokenSecret> describe(const std::shared_ptr<TokenObject>& object) {
  return object->use([&](Session& session, ObjectHandle handle) -> Outcome<TokenSecret> {
    const auto type = session.number(handle, CKA_KEY_TYPE, CKK_GENERIC_SECRET);
    if (!type) return type.error();
    const auto size = session.number(handle, CKA_VALUE_LEN, 0);
    if (!size) return size.error();
    return TokenSecret{object, *type, *size};
  });
}

}  // namespace

Outcome<TokenSecret> secret_of(const Found& found) {
  return describe(
      std::make_shared<TokenObject>(found.token, found.mark, found.handle, found.generation));
}

Outcome<TokenSecret> secret_by_uri(Context& context, const client::Uri& uri,
                                   const PinSource& pins) {
  if (uri.object_class() && *uri.object_class() != CKO_SECRET_KEY) {
    return fail(Reason::kUri, uri.text() + ": type is not secret-key, and a secret key is wanted");
  }
  const auto token = token_for(context, uri);
  if (!token) return token.error();
  if ((*token)->wants_login() && context.settings().login != Settings::Login::kNever) {
    if (auto done = (*token)->login(pins, true); !done) return std::move(done).error();
  }
  const auto found = objects_in(*token, uri, CKO_SECRET_KEY);
  if (!found) return found.error();
  if (found->empty()) return fail(Reason::kObject, uri.text() + ": no such secret key");
  if (found->size() > 1) {
    return fail(Reason::kAmbiguous, uri.text() + ": " + std::to_string(found->size()) +
                                        " secret keys match; name one by object= or id=");
  }
  return secret_of(found->front());
}

Outcome<TokenSecret> secret_by_uri(Context& context, const std::string& uri) {
  const auto parsed = parse_uri(uri);
  if (!parsed) return parsed.error();
  return secret_by_uri(context, *parsed, PinSource(*parsed, context.settings(), nullptr, nullptr));
}

Outcome<TokenSecret> secret_by_label(Context& context, const std::string& token_uri,
                                     core::ByteView label) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  // What stands for itself in a URI (RFC 3986, unreserved).
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string object = ";type=secret-key;object=";
  for (const std::uint8_t byte : label) {
    if (kPlain.find(static_cast<char>(byte)) != std::string_view::npos) {
      object += static_cast<char>(byte);
      continue;
    }
    object += '%';
    object += kDigits[byte >> 4U];
    object += kDigits[byte & 0xFU];
  }
  // Into the path, before what is said of the PIN and the module.
  std::string text = token_uri;
  text.insert(std::min(text.find('?'), text.size()), object);
  return secret_by_uri(context, text);
}

}  // namespace tallystick::provider
