// HMAC and CMAC. libcrypto's own MAC always stands beside: it takes keys that are bytes, and then
// does everything, as without this provider. With a key in a token the MAC is the token's.
#pragma once

#include <openssl/core.h>
#include <openssl/evp.h>

#include "provider/intake.h"
#include "provider/token_secret.h"

namespace tallystick::provider {

inline constexpr const char* kHmac = "HMAC";
inline constexpr const char* kCmac = "CMAC";

class Mac {
 public:
  // `name`: kHmac or kCmac.
  static Outcome<std::unique_ptr<Mac>> make(Context& context, const char* name);

  [[nodiscard]] Context& context() const { return context_; }
  // A key in a token: by the parameter "uri", or as an object of the provider.
  Done set_params(const OSSL_PARAM params[]);
  int get_params(OSSL_PARAM params[]) const;
  void use(TokenSecret key) { key_ = std::move(key); }

  // A null key: the one that is there already.
  Done begin(const unsigned char* key, std::size_t size, const OSSL_PARAM params[]);
  Done update(core::ByteView data);
  // The length of the value; 0 where it is not known yet.
  [[nodiscard]] std::size_t size() const;
  // A null `out`: only the length.
  Done finish(unsigned char* out, std::size_t* size, std::size_t room);

  [[nodiscard]] Outcome<std::unique_ptr<Mac>> duplicate() const;

  [[nodiscard]] const OSSL_PARAM* own_settable() const;
  [[nodiscard]] const OSSL_PARAM* own_gettable() const;

 private:
  Mac(Context& context, const char* name, core::MacCtxPtr own)
      : context_(context), name_(name), own_(std::move(own)) {}
  Done take_digest(const std::string& digest);
  Done take_cipher(const std::string& cipher);
  // The mechanism that key and parameters come to, and the length of what it gives.
  [[nodiscard]] Outcome<CK_MECHANISM_TYPE> mechanism() const;
  // Of a token's key: the digest of an HMAC; null for CMAC, and where none is known.
  [[nodiscard]] core::MdPtr message_digest() const;
  [[nodiscard]] std::size_t natural_size() const;
  [[nodiscard]] Intake::Begin stream() const;

  Context& context_;
  const char* name_;
  core::MacCtxPtr own_;
  // Set: the token's key, and what else it needs.
  std::optional<TokenSecret> key_;
  int digest_ = 0;
  std::size_t cipher_key_size_ = 0;
  std::size_t wanted_size_ = 0;
  std::unique_ptr<Intake> intake_ = std::make_unique<Intake>();
  bool begun_ = false;
};

const OSSL_ALGORITHM* mac_algorithms();

}  // namespace tallystick::provider
