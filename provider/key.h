// A key as OpenSSL's core holds it: of a token, or libcrypto's own where the provider is preferred
// and so is given every key of an application (peers' public keys, ephemeral ones of TLS).
#pragma once

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <utility>

#include "provider/context.h"
#include "provider/key_types.h"
#include "provider/object.h"

namespace tallystick::provider {

struct Key {
  Context* context = nullptr;
  const KeyType* type = nullptr;
  // Key, or parameters, of libcrypto in the private context; of a token's key its public part.
  // Shared between duplicates, so never changed in place. Null in a new key.
  core::PkeyPtr pkey;
  // The OSSL_KEYMGMT_SELECT_ bits of what the key has.
  int parts = 0;
  // The private key in a token; null for keys of libcrypto's own, and public ones.
  std::shared_ptr<TokenObject> token;
  // CKA_ALWAYS_AUTHENTICATE: the PIN goes along with every use.
  bool asks_every_time = false;

  [[nodiscard]] bool in_token() const { return token != nullptr; }
};
using KeyPtr = std::unique_ptr<Key>;

inline core::PkeyPtr shared(EVP_PKEY* pkey) {
  if (pkey != nullptr) EVP_PKEY_up_ref(pkey);
  return core::PkeyPtr(pkey);
}

// A second holder of the same key.
KeyPtr same_key(const Key& key);

// A key on its way through the core, from who made it to the key management that takes it over.
template <typename Held>
class Reference {
 public:
  explicit Reference(std::unique_ptr<Held> key) : key_(key.release()) {}
  // Nobody has taken it over.
  ~Reference() { delete key_; }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;
  // The parameter of the object that the core is given.
  [[nodiscard]] OSSL_PARAM param() {
    return OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &key_, sizeof(Held*));
  }
  // The key that a parameter like this holds, which is the caller's from then on; null where there
  // is none.
  static Held* take(const void* reference, std::size_t size) {
    if (reference == nullptr || size != sizeof(Held*)) return nullptr;
    // The core hands back what param() gave it.
    Held** place = static_cast<Held**>(const_cast<void*>(reference));
    return std::exchange(*place, nullptr);
  }

 private:
  Held* key_;
};
using KeyReference = Reference<Key>;

// "key ec of token line", or the type of a key of libcrypto's own, for messages.
std::string name_of(const Key& key);

// Uses a token's key: body(Session&, ObjectHandle, const core::Secret* pin).
template <typename Body>
auto use_in_token(const Key& key, Body body) {
  std::shared_ptr<const core::Secret> pin;
  if (key.asks_every_time) pin = key.token->token().pin();
  return key.token->use(
      [&](Session& session, ObjectHandle object) { return body(session, object, pin.get()); });
}

}  // namespace tallystick::provider
