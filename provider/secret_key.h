// A secret key as OpenSSL's core holds it: an EVP_PKEY of the types that stand for MACs, or of the
// type that seals assets, and from OpenSSL 3.5 on an EVP_SKEY. In a token, or bytes of the
// application's where the provider is preferred and so is given all of them.
#pragma once

#include "provider/key.h"
#include "provider/token_secret.h"

namespace tallystick::provider {

struct SecretType {
  const char* name;
};
inline constexpr SecretType kHmacKey{"HMAC"};
inline constexpr SecretType kCmacKey{"CMAC"};
// The keys that seal the assets of a package (CKK_TS_ASSET_KEY).
inline constexpr SecretType kAssetKey{"TALLYSTICK-ASSET-KEY"};

struct SecretKey {
  Context* context = nullptr;
  const SecretType* type = nullptr;
  std::optional<TokenSecret> token;
  // Where it is in no token. An HMAC key may be empty, so whether there is one is said apart.
  bool has_bytes = false;
  core::Secret bytes;
  // The URI, of an opaque object.
  std::string id;
  // Of CMAC: the cipher that goes with the bytes.
  std::string cipher;

  [[nodiscard]] bool complete() const { return token || has_bytes; }
};
using SecretKeyPtr = std::unique_ptr<SecretKey>;

SecretKeyPtr same_key(const SecretKey& key);
// A token's key as an EVP_PKEY: an AES key for CMAC, one that seals, and everything else for HMAC.
SecretKeyPtr secret_key(Context& context, TokenSecret secret);

// Key management, and the MAC as a signature, which is how "openssl dgst -mac" and EVP_DigestSign
// make one. A row each for the tables of all key types (keymgmt.cpp, signature.cpp).
OSSL_ALGORITHM keymgmt_of_hmac();
OSSL_ALGORITHM keymgmt_of_cmac();
OSSL_ALGORITHM keymgmt_of_asset_key();
OSSL_ALGORITHM signature_of_hmac();
OSSL_ALGORITHM signature_of_cmac();

}  // namespace tallystick::provider
