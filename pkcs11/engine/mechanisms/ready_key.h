// Contexts of libcrypto made ready from a key once and copied for each operation: setting one up
// costs as much as many a verification.
#pragma once

#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

struct ReadyKey : Payload {
  explicit ReadyKey(core::PkeyCtxPtr of) : context(std::move(of)) {}
  const core::PkeyCtxPtr context;
};

// A context of the caller's own for `key`. `init` makes it ready, and answers whether that went
// well; it runs once for each variant in a row. `variant` tells apart what is prepared for one use:
// a mechanism, or a mechanism and those parameters that `init` puts in.
template <typename Init>
Outcome<core::PkeyCtxPtr> ready_context(const Context& context, const Object& key,
                                        Object::Prepared use, std::uint64_t variant,
                                        const char* what, Init init) {
  auto pkey = key.pkey(context.crypto);
  if (!pkey) return std::move(pkey).error();
  auto ready =
      key.prepared<ReadyKey>(use, variant, [&]() -> Outcome<std::shared_ptr<const ReadyKey>> {
        core::PkeyCtxPtr made(EVP_PKEY_CTX_new_from_pkey(context.crypto.lib(), *pkey, nullptr));
        if (!made || !init(made.get())) return crypto_failed(what);
        return std::make_shared<const ReadyKey>(std::move(made));
      });
  if (!ready) return std::move(ready).error();
  core::PkeyCtxPtr copy(EVP_PKEY_CTX_dup((*ready)->context.get()));
  if (!copy) return crypto_failed(what);
  return copy;
}

// Whether a signing or a verifying operation is made.
template <typename Base>
constexpr Object::Prepared kUseOf =
    std::is_same_v<Base, SignOperation> ? Object::Prepared::kSign : Object::Prepared::kVerify;

}  // namespace tallystick::token
