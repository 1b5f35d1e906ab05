// From a pkcs11: URI to tokens, and to objects in them.
#pragma once

#include <optional>
#include <vector>

#include "provider/context.h"
#include "provider/key.h"
#include "provider/object.h"

namespace tallystick::provider {

Outcome<client::Uri> parse_uri(const std::string& text);

// The initialised tokens that a URI means, of all modules that it may mean; none is an error.
Outcome<std::vector<std::shared_ptr<Token>>> tokens_for(Context& context, const client::Uri& uri);
// The one token; two that match are an error.
Outcome<std::shared_ptr<Token>> token_for(Context& context, const client::Uri& uri);

struct Found {
  std::shared_ptr<Token> token;
  Mark mark;
  ObjectHandle handle = 0;
  std::uint64_t generation = 0;
};
// The objects of a class with the URI's label and id in a token, as far as its present login shows
// them. `subject` narrows certificates, where it is given.
Outcome<std::vector<Found>> objects_in(const std::shared_ptr<Token>& token, const client::Uri& uri,
                                       CK_OBJECT_CLASS object_class, core::ByteView subject = {});

// The key that was found; of a private key with its way back into the token, if that is wanted.
Outcome<KeyPtr> key_of(Context& context, const Found& found, bool with_private);
// The one private key, or its public part, that a URI names; the token is logged in to.
Outcome<KeyPtr> key_by_uri(Context& context, const client::Uri& uri, const PinSource& pins,
                           bool with_private);
// The value of a certificate.
Outcome<core::Bytes> value_of(const Found& found);

}  // namespace tallystick::provider
