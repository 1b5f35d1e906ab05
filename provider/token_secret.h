// A secret key in a token, as MACs, derivations and ciphers use it: by its object, never by its
// value.
#pragma once

#include "provider/locate.h"

namespace tallystick::provider {

struct TokenSecret {
  std::shared_ptr<TokenObject> object;
  CK_KEY_TYPE type = CKK_GENERIC_SECRET;
  // In bytes; 0 where the token does not tell.
  std::size_t size = 0;

  [[nodiscard]] std::string name() const { return object->name(); }
};

// The one secret key that a URI names; the token is logged in to, with the PIN of the URI, the
// settings or the environment. Nobody is asked.
Outcome<TokenSecret> secret_by_uri(Context& context, const std::string& uri);
// The same with somebody who may be asked for a PIN.
Outcome<TokenSecret> secret_by_uri(Context& context, const client::Uri& uri, const PinSource& pins);
// The one with this label in the token that a URI names.
Outcome<TokenSecret> secret_by_label(Context& context, const std::string& token_uri,
                                     core::ByteView label);
// What was found, with what its attributes say.
Outcome<TokenSecret> secret_of(const Found& found);

}  // namespace tallystick::provider
