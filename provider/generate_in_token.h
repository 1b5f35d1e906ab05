// Key pairs made inside a token.
#pragma once

#include "provider/key.h"

namespace tallystick::provider {

struct PairRequest {
  // Where, and under which label and id; an id is made up where the URI names none.
  std::string uri;
  // "digitalSignature keyAgreement", as X.509 names usages; empty: what the type is made for.
  std::string usage;
  unsigned long rsa_bits = 2048;
  core::Bytes rsa_exponent = {1, 0, 1};
  // Digests or a salt that an RSA-PSS key is to be bound to.
  bool pss_bound = false;
  // A post-quantum key is to be made from a seed.
  bool seeded = false;
  // A name of the curve, for EC.
  std::string curve;
};

Outcome<KeyPtr> generate_in_token(Context& context, const KeyType& type,
                                  const PairRequest& request);

}  // namespace tallystick::provider
